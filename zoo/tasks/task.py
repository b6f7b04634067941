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
    """One step to take: whose, on what, and what the forward pass has shown on the way (nothing is computed twice)."""

    player: str
    value: Tensor
    seen: Tally


class Task(Protocol):
    """What a model learns."""

    def players(self, net: Module) -> dict[str, Module]:
        """Return who is stepped, by name."""

    def losses(self, nets: Mapping[str, Module], batch: Batch) -> Iterator[Loss]:
        """Yield a loss for each player in order, lazily: the next is computed after this one has stepped."""

    def predict(self, nets: Mapping[str, Module], images: Tensor) -> Tensor:
        """Return the nets' answer to images (B, C, H, W)."""

    def tally(self, nets: Mapping[str, Module], batch: Batch) -> Tally:
        """Return sums and counts of the scores of one batch, without gradients."""
