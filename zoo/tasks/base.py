"""The contract between a task and the training loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from torch import Tensor
from torch.nn import Module

from zoo.data import Batch

Tally = Mapping[str, tuple[Tensor, int]]
"""Sum and count of each quantity by name; tallies add up exactly over batches and processes of any size."""


class Loss(NamedTuple):
    """One optimizer step: a player, its loss, and the tally of the same forward pass.

    If computing the loss also gave the gradient, `gradient` is the gradient of the player's one flat parameter.
    """

    player: str
    value: Tensor
    tally: Tally
    gradient: Tensor | None = None


class Task(Protocol):
    """What a model learns: its players, their losses, its predictions and its scores.

    A *player* is a module with its own optimizer. A classifier has one; a generative adversarial net has two. For each
    batch the training loop iterates over `losses`. It computes the gradient of each loss and steps the optimizer of its
    player, and only then asks for the next loss. After an epoch it calls `tally` on the validation batches.

    The loop passes the modules to each method as `nets`, by the names that `players` gives. They may be wrapped, for
    several processes, or averaged, for scoring.

    A task with the attribute `is_cross_entropy = True` learns by the cross-entropy of its players' logits. It accepts
    players with a method `cross_entropy` that computes loss and gradient in one call (`zoo.fused`).

    Example:
        A task that learns to reproduce images, with one player::

            class Reconstruction:
                def __init__(self, normalize: Normalize) -> None:
                    self._normalize = normalize

                def players(self, net: Module) -> dict[str, Module]:
                    return {"net": net}

                def losses(self, nets: Mapping[str, Module], batch: Batch) -> Iterator[Loss]:
                    loss, num = self._compute_loss(nets, batch), len(batch.images)
                    yield Loss("net", loss, {"loss": (loss.detach() * num, num)})

                def predict(self, nets: Mapping[str, Module], images: Tensor) -> Tensor:
                    return nets["net"](self._normalize(images)).float()

                @torch.no_grad()
                def tally(self, nets: Mapping[str, Module], batch: Batch) -> Tally:
                    loss, num = self._compute_loss(nets, batch), len(batch.images)
                    return {"loss": (loss * num, num)}

                def _compute_loss(self, nets: Mapping[str, Module], batch: Batch) -> Tensor:
                    return F.mse_loss(self.predict(nets, batch.images), self._normalize(batch.images))

        `zoo.task_info` lists what else a new task needs.
    """

    def players(self, net: Module) -> dict[str, Module]:
        """Return the modules that are trained, by name, in the order of their steps."""

    def losses(self, nets: Mapping[str, Module], batch: Batch) -> Iterator[Loss]:
        """Yield the loss of each player in order; the loop steps a player before it takes the next loss."""

    def predict(self, nets: Mapping[str, Module], images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W), or images (B, C, H, W) for codes (B, Z + K)."""

    def tally(self, nets: Mapping[str, Module], batch: Batch) -> Tally:
        """Return sums and counts of the scores of one batch, without gradients."""
