"""Step torch's fused Adam over one flat parameter, without the checks that `Optimizer.step` makes around the kernel."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import Adam, AdamW, Optimizer

from zoo.fused.openmp import run_single_threaded

FUSED_KERNELS: dict[type[Optimizer], Any] = {
    Adam: getattr(torch, "_fused_adam_", None),
    AdamW: getattr(torch, "_fused_adamw_", None),
}
"""The kernel that each fused optimizer calls. For a small net the checks around it take ten times as long."""
MAX_SINGLE_THREAD = 32_768
"""Most weights that one thread steps alone; torch starts its threads even for ten weights."""


class FusedAdam:
    """Step an optimizer of one parameter on the CPU, with the same bits as `optimizer.step()`.

    The state stays in the optimizer.

    Args:
        optimizer: An optimizer for which `is_supported` is true.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        (self._parameter,) = optimizer.param_groups[0]["params"]
        self._kernel = FUSED_KERNELS[type(optimizer)]

    @staticmethod
    def is_supported(optimizer: Optimizer) -> bool:
        """Return whether an optimizer is torch's fused Adam or AdamW over one parameter on the CPU."""
        groups = optimizer.param_groups
        is_single = len(groups) == 1 and len(groups[0]["params"]) == 1
        return (
            is_single and groups[0]["params"][0].device.type == "cpu" and FUSED_KERNELS.get(type(optimizer)) is not None
        )

    def step(self) -> None:
        """Step on the parameter's gradient; torch takes the first step and creates the state."""
        parameter = self._parameter
        state = self._optimizer.state.get(parameter)
        if not state:
            self._optimizer.step()
            return
        with torch.no_grad():
            torch._foreach_add_([state["step"]], 1)
            run_single_threaded(self._call_kernel) if parameter.numel() <= MAX_SINGLE_THREAD else self._call_kernel()

    def _call_kernel(self) -> None:
        parameter, group = self._parameter, self._optimizer.param_groups[0]
        state = self._optimizer.state[parameter]
        self._kernel(
            [parameter],
            [parameter.grad],
            [state["exp_avg"]],
            [state["exp_avg_sq"]],
            [],
            [state["step"]],
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
