"""A graph encoder that is checked: how to make it, and nodes and grids for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.factory.encoder import build_encoder
from zoo.graph import PixelGraph
from zoo.seeding import make_generator, use_seed
from zoo.testing.models.subject import perturb_weights
from zoo.testing.report import require

Size = tuple[int, int]
TOLERANCE = 1e-5
"""How far nodes that should be the same may differ, as a share of the largest (at least 1)."""


@dataclass(frozen=True, kw_only=True)
class EncoderSubject:
    """The encoder that is checked: its name, width and options, and how to make it and nodes for it."""

    name: str
    width: int = 16
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self, size: Size = (5, 5), seed: int = 0, **changes: Any) -> Module:
        """Return a fresh encoder in eval mode."""
        with use_seed(seed):
            return build_encoder(self.name, width=self.width, size=size, options={**self.options, **changes}).eval()

    def make_perturbed(self, size: Size = (5, 5)) -> Module:
        """Return an encoder whose weights are all moved, so that none hides a fault by being zero."""
        return perturb_weights(self.make(size))

    def make_nodes(self, graph: PixelGraph, batch: int = 3) -> Tensor:
        """Return random nodes (B, N, width)."""
        return torch.randn(batch, graph.num_nodes, self.width, generator=make_generator(0, "nodes"))


def make_grids(size: Size) -> Iterator[PixelGraph]:
    """Yield the kinds of grid that an encoder may meet."""
    yield PixelGraph(*size)
    yield PixelGraph(*size, neighbours=4)
    yield PixelGraph(*size, self_loops=False)


def make_symmetry_orders(side: int) -> Iterator[Tensor]:
    """Yield the 8 symmetries of a square grid as orders of its nodes."""
    places = torch.arange(side * side).view(side, side)
    for turn in range(4):
        turned = places.rot90(turn, (0, 1))
        yield turned.flatten()
        yield turned.flip(1).flatten()


def require_close(actual: Tensor, expected: Tensor, description: str, fix: str) -> None:
    """Raise unless two sets of nodes are the same to 1e-5."""
    gap = float((actual - expected).detach().abs().max())
    largest = float(expected.detach().abs().max())
    require(
        gap <= TOLERANCE * max(1.0, largest),
        f"nodes {description} differ by {gap:.2g}, where they go to {largest:.3g}",
        fix,
    )
