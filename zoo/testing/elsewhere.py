"""Run a net on a device that need not be there: shapes, types and devices are worked out, numbers are not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.nn import Module

from zoo.testing.report import CheckFailure, require

ELSEWHERE = "cuda"
MEND = "register constants as buffers, and make tensors on the device of the images or nodes"


def check_device(net: Module, *inputs: Tensor) -> None:
    """Raise unless a net whose weights, buffers and inputs lie on another device stays there all the way.

    Raises:
        CheckFailure: It makes a tensor on the CPU, or keeps one that does not move with it.
    """
    try:
        with FakeTensorMode() as mode, torch.no_grad():
            tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
            moved = {name: mode.from_tensor(each).to(ELSEWHERE) for name, each in tensors.items()}
            given = tuple(mode.from_tensor(each).to(ELSEWHERE) for each in inputs)
            found = functional_call(net, moved, given)
    except (RuntimeError, AssertionError) as error:
        told = str(error).partition("\n")[0][:160]
        raise CheckFailure(f"moved to a GPU, forward meets a tensor that stayed on the CPU ({told}); {MEND}") from error
    require(found.device.type == ELSEWHERE, f"moved to a GPU, it answers on {found.device}", MEND)
