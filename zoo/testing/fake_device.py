"""Run a net on a device that may be missing: shapes, dtypes and devices are computed, values are not."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException, FakeTensorMode
from torch.nn import Module, Parameter

from zoo.testing.report import CheckFailure, require

FAKE_DEVICE = "cuda"
FIX = "register constants as buffers, and create tensors on the device of the input"


def check_device(net: Module, *inputs: Tensor) -> None:
    """Check that a net whose weights, buffers and inputs are on another device computes everything there.

    Raises:
        CheckFailure: It creates a tensor on the CPU, or keeps one that does not move with it.
    """
    copied = copy.deepcopy(net)
    try:
        with FakeTensorMode() as mode, torch.no_grad():
            output = _move_net(copied, mode)(*(_move_tensor(each, mode) for each in inputs))
    except (DataDependentOutputException, DynamicOutputShapeException):
        return  # the rest of forward depends on values, which fake tensors do not have
    except (RuntimeError, AssertionError) as error:
        message = str(error).partition("\n")[0][:160]
        raise CheckFailure(f"on a GPU, forward uses a tensor that stayed on the CPU ({message}); {FIX}") from error
    require(output.device.type == FAKE_DEVICE, f"on a GPU, its output is on {output.device}", FIX)


def _move_net(net: Module, mode: FakeTensorMode) -> Module:
    """Return the net with its weights and buffers on the fake device; a module that occurs twice is moved once."""
    for module in net.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    tensors[name] = _move_tensor(tensor, mode)  # type: ignore[assignment]
    return net


def _move_tensor(tensor: Tensor, mode: FakeTensorMode) -> Tensor:
    fake = mode.from_tensor(tensor).to(FAKE_DEVICE)
    return Parameter(fake, requires_grad=False) if isinstance(tensor, Parameter) else fake
