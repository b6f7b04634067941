"""The contract between a task and the one training loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from torch import Tensor
from torch.nn import Module

from zoo.data import Batch

Tally = Mapping[str, tuple[Tensor, int]]
"""Sums and counts by name: exact over batches and processes of any size."""


class Loss(NamedTuple):
    """One step to take: whose, on what, and what the forward pass has shown on the way (nothing is computed twice).

    Where computing the loss has given the gradient too, that of the player's one flat parameter is in `gradient`.
    """

    player: str
    value: Tensor
    tally: Tally
    gradient: Tensor | None = None


class Task(Protocol):
    """What a model learns.

    A task that has `is_cross_entropy = True` learns by the cross-entropy of its players' logits, and takes players
    whose `cross_entropy` gives loss and gradient in one call (`zoo.fused`).
    """

    def players(self, net: Module) -> dict[str, Module]:
        """Return who is stepped, by name."""

    def losses(self, nets: Mapping[str, Module], batch: Batch) -> Iterator[Loss]:
        """Yield a loss for each player in order, lazily: the next is computed after this one has stepped."""

    def predict(self, nets: Mapping[str, Module], images: Tensor) -> Tensor:
        """Return the nets' answer: logits (B, K) for images (B, C, H, W), or images that are drawn from codes."""

    def tally(self, nets: Mapping[str, Module], batch: Batch) -> Tally:
        """Return sums and counts of the scores of one batch, without gradients."""
