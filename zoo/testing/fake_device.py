"""Run a net on a device that need not be there: shapes, types and devices are worked out, numbers are not."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException, FakeTensorMode
from torch.nn import Module, Parameter

from zoo.testing.report import CheckFailure, require

FAKE_DEVICE = "cuda"
FIX = "register constants as buffers, and make tensors on the device of the images or nodes"


def check_device(net: Module, *inputs: Tensor) -> None:
    """Raise unless a net whose weights, buffers and inputs lie on another device stays there all the way.

    Raises:
        CheckFailure: It makes a tensor on the CPU, or keeps one that does not move with it.
    """
    copied = copy.deepcopy(net)
    try:
        with FakeTensorMode() as mode, torch.no_grad():
            found = _move_net(copied, mode)(*(_move_tensor(each, mode) for each in inputs))
    except (DataDependentOutputException, DynamicOutputShapeException):
        return  # what follows depends on numbers, which are not worked out here
    except (RuntimeError, AssertionError) as error:
        told = str(error).partition("\n")[0][:160]
        raise CheckFailure(f"moved to a GPU, forward meets a tensor that stayed on the CPU ({told}); {FIX}") from error
    require(found.device.type == FAKE_DEVICE, f"moved to a GPU, it answers on {found.device}", FIX)


def _move_net(net: Module, mode: FakeTensorMode) -> Module:
    """Return the net with its weights and buffers elsewhere; a module that stands in it twice is moved once."""
    for module in net.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    tensors[name] = _move_tensor(tensor, mode)  # type: ignore[assignment]
    return net


def _move_tensor(tensor: Tensor, mode: FakeTensorMode) -> Tensor:
    moved = mode.from_tensor(tensor).to(FAKE_DEVICE)
    return Parameter(moved, requires_grad=False) if isinstance(tensor, Parameter) else moved
