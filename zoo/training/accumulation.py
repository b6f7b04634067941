"""Add up the gradients of several batches before an optimizer steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from zoo.training.module_state import match_layout


class GradientAccumulator:
    """Add up the gradients of `num_batches` batches, each with the same weight.

    Args:
        player: The module that is trained, as it runs (wrapped when several processes train it).
        parameters: The parameters that are stepped.
        num_batches: Batches in one step of the optimizer.
        accelerator: accelerate's `Accelerator`; it runs the backward pass and delays the exchange between processes.
        scaler: Gradient scaler of fp16; disabled at other precisions.

    Attributes:
        num_pending: Batches added since the last step.
    """

    def __init__(
        self,
        player: Module,
        parameters: Sequence[Parameter],
        *,
        num_batches: int,
        accelerator: Any,
        scaler: torch.amp.GradScaler,
    ) -> None:
        self._player, self._parameters, self._num_batches = player, parameters, num_batches
        self._accelerator, self._scaler = accelerator, scaler
        self.num_pending = 0

    @property
    def is_full(self) -> bool:
        """Whether enough batches are added for a step."""
        return self.num_pending == self._num_batches

    def backward(self, loss: Tensor) -> None:
        """Compute the gradient of a scalar loss and add it; processes exchange gradients for the last batch only."""
        self.num_pending += 1
        with nullcontext() if self.is_full else self._accelerator.no_sync(self._player):
            scaled = self._scaler.scale(loss / self._num_batches if self._num_batches > 1 else loss)
            self._accelerator.backward(scaled)

    def add(self, gradient: Tensor) -> None:
        """Add a gradient that was computed along with the loss; the player has one parameter."""
        self.num_pending += 1
        (parameter,) = self._parameters
        scaled = gradient / self._num_batches if self._num_batches > 1 else gradient
        parameter.grad = scaled if parameter.grad is None else parameter.grad.add_(scaled)

    def average_pending(self) -> None:
        """Turn the sum of fewer than `num_batches` batches into their mean."""
        for parameter in self._parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(self._num_batches / self.num_pending)

    def clear(self) -> None:
        """Drop all gradients, after a step."""
        for parameter in self._parameters:
            parameter.grad = None
        self.num_pending = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the gradients added since the last step."""
        gradients = [parameter.grad for parameter in self._parameters] if self.num_pending else []
        return {"pending": self.num_pending, "gradients": gradients}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.num_pending = state["pending"]
        for parameter, gradient in zip(self._parameters, state["gradients"], strict=False):
            parameter.grad = None if gradient is None else match_layout(parameter, gradient)
