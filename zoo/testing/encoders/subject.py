"""A graph encoder that is checked: how to make it, and nodes and grids for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.factory.encoder import encoder
from zoo.graph import PixelGraph
from zoo.seeding import generator, isolated
from zoo.testing.models.subject import moved
from zoo.testing.report import require

Size = tuple[int, int]
CLOSE = 1e-5
"""How far nodes that should be the same may differ, as a share of the largest (at least 1)."""


@dataclass(frozen=True, kw_only=True)
class EncoderSubject:
    """The encoder that is checked: its name, width and options, and how to make it and nodes for it."""

    name: str
    width: int = 16
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self, size: Size = (5, 5), seed: int = 0, **changes: Any) -> Module:
        """Return a fresh encoder in eval mode."""
        with isolated(seed):
            return encoder(self.name, width=self.width, size=size, options={**self.options, **changes}).eval()

    def moved(self, size: Size = (5, 5)) -> Module:
        """Return an encoder whose weights are all moved, so that none hides a fault by being zero."""
        return moved(self.make(size))

    def nodes(self, graph: PixelGraph, batch: int = 3) -> Tensor:
        """Return random nodes (B, N, width)."""
        return torch.randn(batch, graph.num_nodes, self.width, generator=generator(0, "nodes"))


def grids(size: Size) -> Iterator[PixelGraph]:
    """Yield the kinds of grid that an encoder may meet."""
    yield PixelGraph(*size)
    yield PixelGraph(*size, neighbours=4)
    yield PixelGraph(*size, self_loops=False)


def symmetries(side: int) -> Iterator[Tensor]:
    """Yield the 8 symmetries of a square grid as orders of its nodes."""
    places = torch.arange(side * side).view(side, side)
    for turn in range(4):
        turned = places.rot90(turn, (0, 1))
        yield turned.flatten()
        yield turned.flip(1).flatten()


def alike(found: Tensor, expected: Tensor, what: str, mend: str) -> None:
    """Raise unless two sets of nodes are the same to 1e-5."""
    gap = float((found - expected).detach().abs().max())
    largest = float(expected.detach().abs().max())
    require(gap <= CLOSE * max(1.0, largest), f"nodes {what} differ by {gap:.2g}, where they go to {largest:.3g}", mend)
