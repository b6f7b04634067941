"""The door to torch_geometric, which is an extra."""

from __future__ import annotations

import warnings
from typing import Any

from zoo.errors import PluginError


def convolutions(encoder: str) -> Any:
    """Return `torch_geometric.nn`.

    Args:
        encoder: Which encoder needs it, for the message.

    Raises:
        PluginError: It is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # it still uses torch.jit.script
            import torch_geometric.nn
    except ImportError as error:
        raise PluginError(
            f"the encoder {encoder!r} needs torch_geometric ({error}): pip install 'zoo-models[pyg]'"
        ) from error
    return torch_geometric.nn
