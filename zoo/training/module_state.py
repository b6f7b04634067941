"""All tensors of a module, and putting them back in place: those that `state_dict` leaves out as well."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import Module

from zoo.errors import WeightsError, join_names


def get_tensors(module: Module) -> dict[str, Tensor]:
    """Return every weight and buffer by name, also buffers that are not stored with a model.

    Raises:
        WeightsError: The module has state that is no tensor.
    """
    stored = module.state_dict()
    odd = [name for name, each in stored.items() if not isinstance(each, Tensor)]
    if odd:
        raise WeightsError(
            f"{join_names(odd)} is no tensor; zoo keeps weights and buffers, and no other state of a net"
        )
    return {**stored, **_non_persistent_buffers(module, stored)}


def copy_into(module: Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors that `tensors_of` returned into the module's own, which stay where they are.

    Raises:
        WeightsError: They are other tensors than the module has.
    """
    stored = module.state_dict()
    buffers = _non_persistent_buffers(module, stored)
    unlike = sorted(tensors.keys() ^ (stored.keys() | buffers.keys()))
    if unlike:
        raise WeightsError(f"{join_names(unlike, 6)} is not both in the checkpoint and in the net")
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
