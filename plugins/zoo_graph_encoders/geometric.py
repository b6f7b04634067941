"""The door to torch_geometric, which is an extra: its operators, and those of them that take one graph, for a batch."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor
from torch.nn import Module

from zoo.errors import PluginError
from zoo.graph import PixelGraph


def import_pyg(encoder: str) -> Any:
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


def apply_batched(operator: Module, nodes: Tensor, graph: PixelGraph, *edge_features: Tensor) -> Tensor:
    """Return nodes (B, N, width) of an operator that takes no batch, but the nodes and edges of one graph.

    Args:
        operator: Takes nodes (B N, width), edges (2, B E) and what it is to know of each edge.
        nodes: The nodes, (B, N, width).
        graph: Their graph, which is tiled for the batch.
        *edge_features: Features of each edge of one graph, (E, D).
    """
    batch = nodes.shape[0]
    tiled = [each.repeat(batch, 1) for each in edge_features]  # (B E, D)
    encoded: Tensor = operator(nodes.flatten(0, 1), graph.batch_edges(batch), *tiled)  # (B N, width)
    return encoded.view_as(nodes)
