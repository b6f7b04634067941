"""Resolve devices and dtypes by name."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

from zoo.errors import ConfigError, DeviceError

DTYPES = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
"""The dtypes of weights that zoo saves and loads, by name."""


def resolve_device(name: str | torch.device | None) -> torch.device:
    """Return an available device by name; for None the first GPU, or the CPU if there is none.

    Raises:
        DeviceError: The name is not a device, or the device is not available.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise DeviceError(f"{name!r} is not a device; use 'cpu', 'cuda', 'cuda:1' or 'mps'") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"there is no device {name!r}: torch sees {torch.cuda.device_count()} CUDA devices; use device='cpu'"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("there is no device 'mps' on this machine; use device='cpu'")
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"zoo does not run on {name!r}; use 'cpu', 'cuda', 'cuda:1' or 'mps'")
    return device


def format_dtype(dtype: torch.dtype) -> str:
    """Return the name of a dtype without the prefix of torch.

    >>> format_dtype(torch.float32)
    'float32'
    """
    return str(dtype).removeprefix("torch.")


def resolve_dtype(dtype: torch.dtype | str) -> torch.dtype:
    """Return a dtype of weights by name.

    Raises:
        ConfigError: zoo does not save models of that dtype.
    """
    name = str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise ConfigError(f"dtype is one of {', '.join(DTYPES)}, not {name}")
    return DTYPES[name]


def get_dtype_name(net: Module) -> str:
    """Return the dtype of a net's weights and stored buffers, such as `float32`; `mixed` if they have several."""
    stored = [each for each in net.state_dict().values() if isinstance(each, Tensor) and each.is_floating_point()]
    names = {format_dtype(each.dtype) for each in stored}
    return names.pop() if len(names) == 1 else "mixed" if names else "float32"
