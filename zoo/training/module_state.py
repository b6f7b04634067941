"""Copy all tensors of a module out and in, with the buffers that `state_dict` leaves out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import Module

from zoo.errors import WeightsError, join_names


def get_tensors(module: Module) -> dict[str, Tensor]:
    """Return every weight and buffer by name, with the non-persistent buffers.

    Raises:
        WeightsError: The module has state that is not a tensor.
    """
    stored = module.state_dict()
    non_tensors = [name for name, each in stored.items() if not isinstance(each, Tensor)]
    if non_tensors:
        raise WeightsError(
            f"{join_names(non_tensors)} is not a tensor; zoo stores only the weights and buffers of a net"
        )
    return {**stored, **_non_persistent_buffers(module, stored)}


def copy_into(module: Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy what `get_tensors` returned into the module's tensors, which keep their memory.

    Raises:
        WeightsError: The names or shapes are not those of the module.
    """
    stored = module.state_dict()
    buffers = _non_persistent_buffers(module, stored)
    mismatched = sorted(tensors.keys() ^ (stored.keys() | buffers.keys()))
    if mismatched:
        raise WeightsError(f"{join_names(mismatched, 6)} is not both in the checkpoint and in the net")
    for name in stored:
        stored[name] = tensors[name]
    try:
        module.load_state_dict(stored)
        with torch.no_grad():
            for name, buffer in buffers.items():
                buffer.copy_(tensors[name])
    except RuntimeError as error:
        raise WeightsError(f"the checkpoint does not fit the net: {error}") from error


def _non_persistent_buffers(module: Module, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: buffer for name, buffer in module.named_buffers() if name not in stored}


def match_layout(weight: Tensor, value: Tensor) -> Tensor:
    """Return a copy of `value` with the strides of `weight`, such as channels last; fused optimizers rely on it."""
    return torch.empty_strided(weight.shape, weight.stride(), dtype=value.dtype, device=weight.device).copy_(value)
