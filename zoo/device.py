"""Resolve devices and number types by name."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

from zoo.errors import ConfigError, DeviceError

DTYPES = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def resolve_device(name: str | torch.device | None) -> torch.device:
    """Return a device that is there: the first GPU or else the CPU for None.

    Raises:
        DeviceError: The name is no device, or there is no such device.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise DeviceError(f"{name!r} is no device; use 'cpu', 'cuda', 'cuda:1' or 'mps'") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"there is no device {name!r}: torch sees {torch.cuda.device_count()} CUDA devices; use device='cpu'"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("there is no device 'mps' here; use device='cpu'")
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"zoo does not run on {name!r}; use 'cpu', 'cuda', 'cuda:1' or 'mps'")
    return device


def resolve_dtype(dtype: torch.dtype | str) -> torch.dtype:
    """Return a number type of weights by its name.

    Raises:
        ConfigError: zoo does not save models of that type.
    """
    name = str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise ConfigError(f"weights are {', '.join(DTYPES)}, not {name}")
    return DTYPES[name]


def get_dtype_name(net: Module) -> str:
    """Return the type of a net's weights and stored buffers, such as `float32`; `mixed` where they have several."""
    stored = [each for each in net.state_dict().values() if isinstance(each, Tensor) and each.is_floating_point()]
    kinds = {str(each.dtype).removeprefix("torch.") for each in stored}
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "float32"
