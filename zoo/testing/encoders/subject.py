"""Define a graph encoder under test: how to build it, and nodes and grids for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.factory.encoder import build_encoder, find_encoder_spec
from zoo.graph import PixelGraph
from zoo.plugins.spec import EncoderSpec
from zoo.seeding import make_generator, use_seed
from zoo.testing.report import require
from zoo.testing.state import perturb_weights

Size = tuple[int, int]
TOLERANCE = 1e-5
"""Largest difference of nodes that should be equal, as a share of the largest (at least 1)."""


@dataclass(frozen=True, kw_only=True)
class EncoderSubject:
    """A graph encoder under test.

    Args:
        name: Name in `zoo.encoders`, or `plugin:name`.
        width: Features of each node.
        options: Options to build it with.
    """

    name: str
    width: int = 16
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> EncoderSpec:
        """The spec that the plugin offers."""
        return find_encoder_spec(self.name)

    def build_net(self, seed: int = 0, *, size: Size = (5, 5), **changes: Any) -> Module:
        """Return a new encoder in eval mode."""
        with use_seed(seed):
            return build_encoder(self.name, width=self.width, size=size, options={**self.options, **changes}).eval()

    def build_perturbed_net(self) -> Module:
        """Return a new encoder with small random numbers added to its weights, so that none is zero."""
        return perturb_weights(self.build_net())

    def make_nodes(self, graph: PixelGraph, batch: int = 3) -> Tensor:
        """Return random nodes (B, N, width)."""
        return torch.randn(batch, graph.num_nodes, self.width, generator=make_generator(0, "nodes"))

    def prepare_use(self) -> Callable[[], object]:
        """Return a function that builds and runs the encoder."""
        graph = PixelGraph(5, 5)
        nodes = self.make_nodes(graph)
        return lambda: self.build_net()(nodes, graph)


def make_grids(size: Size) -> Iterator[PixelGraph]:
    """Yield each kind of grid that encoders run on."""
    yield PixelGraph(*size)
    yield PixelGraph(*size, neighbours=4)
    yield PixelGraph(*size, self_loops=False)


def make_symmetry_orders(side: int) -> Iterator[Tensor]:
    """Yield the 8 symmetries of a square grid as permutations of its nodes."""
    indices = torch.arange(side * side).view(side, side)
    for quarters in range(4):
        rotated = indices.rot90(quarters, (0, 1))
        yield rotated.flatten()
        yield rotated.flip(1).flatten()


def require_close(actual: Tensor, expected: Tensor, description: str, fix: str) -> None:
    """Raise a `CheckFailure` unless two tensors of nodes are equal to 1e-5."""
    gap = float((actual - expected).detach().abs().max())
    largest = float(expected.detach().abs().max())
    problem = f"nodes {description} differ by {gap:.2g}; the largest is {largest:.3g}"
    require(gap <= TOLERANCE * max(1.0, largest), problem, fix)
