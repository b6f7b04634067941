"""What a program is made for: the shapes of a stack of graph convolutions, and where its numbers lie."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A matrix and a bias among the flat parameters: H' = H W + b, perhaps of propagated H, perhaps with ReLU.

    Args:
        inputs: Features that come in.
        outputs: Features that go out.
        weight: Where the matrix begins.
        bias: Where the bias begins.
        across: Steps from one input to the next in the matrix.
        along: Steps from one output to the next in the matrix.
        propagate: Whether the nodes are propagated over the graph.
        relu: Whether ReLU follows.
    """

    inputs: int
    outputs: int
    weight: int
    bias: int
    across: int
    along: int
    propagate: bool
    relu: bool

    @property
    def floor(self) -> float:
        """The least value it gives: 0 with ReLU."""
        return 0.0 if self.relu else -math.inf

    @property
    def filters_first(self) -> bool:
        """Whether the graph filters what comes in, (A H) W, or else what goes out, A (H W): the narrower of the two."""
        return self.propagate and self.inputs <= self.outputs


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A stack over a grid: layers node by node, a weighted mean over the nodes, a last matrix.

    Args:
        rows: The normalised path of the grid's rows, H x H.
        columns: That of its columns, W x W; the normalised adjacency is the Kronecker product of the two.
        channels: Image channels.
        positions: Constant features of each node beside the channels.
        layers: What is computed for each node.
        head: What is computed of the mean, without ReLU; None where the mean is the answer.
        parameters: How many parameters there are.
        real: `float` or `double`.
    """

    rows: tuple[tuple[float, ...], ...]
    columns: tuple[tuple[float, ...], ...]
    channels: int
    positions: int
    layers: tuple[Dense, ...]
    head: Dense | None
    parameters: int
    real: str

    @property
    def height(self) -> int:
        """Rows of pixels, H."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Columns of pixels, W."""
        return len(self.columns)

    @property
    def nodes(self) -> int:
        """Number of pixels, N."""
        return self.height * self.width

    @property
    def features(self) -> int:
        """Features of each node that the first layer takes."""
        return self.channels + self.positions

    @property
    def pooled(self) -> int:
        """Features of each node when the mean is taken."""
        return self.layers[-1].outputs if self.layers else self.features

    @property
    def classes(self) -> int:
        """Number of logits, K."""
        return self.head.outputs if self.head else self.pooled

    @property
    def work(self) -> int:
        """Multiply-adds for one image, forward and backward."""
        forward = sum(self.nodes * layer.inputs * layer.outputs for layer in self.layers)
        first = self.nodes * self.layers[0].inputs * self.layers[0].outputs if self.layers else 0
        filtered = sum(12 * self.nodes * min(each.inputs, each.outputs) for each in self.layers if each.propagate)
        return 3 * forward - first + filtered

    @property
    def widest(self) -> int:
        """The largest number of features of a node."""
        return max([self.features, *(layer.outputs for layer in self.layers)])

    def shares(self) -> list[float]:
        """Return the share of each node in the mean (N). A head that propagates does it here: 1^T A / N."""
        if self.head is None or not self.head.propagate:
            return [1 / self.nodes] * self.nodes
        tall, wide = (
            [sum(line[place] for line in path) / len(path) for place in range(len(path))]
            for path in (self.rows, self.columns)
        )
        return [row * column for row in tall for column in wide]


def taps(path: tuple[tuple[float, ...], ...]) -> list[float]:
    """Return the factors before, at and after each place of a path, one after another."""
    last = len(path) - 1
    return [
        path[place][place + step] if 0 <= place + step <= last else 0.0
        for place in range(last + 1)
        for step in (-1, 0, 1)
    ]
