"""What a program is made for: the shapes of a stack of graph convolutions, and where its numbers lie."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A matrix and a bias among the flat parameters: H' = H W + b, perhaps of propagated H, perhaps with ReLU.

    Args:
        in_features: Features that come in.
        out_features: Features that go out.
        weight_offset: Where the matrix begins.
        bias_offset: Where the bias begins.
        input_stride: Steps from one input to the next in the matrix.
        output_stride: Steps from one output to the next in the matrix.
        propagate: Whether the nodes are propagated over the graph.
        relu: Whether ReLU follows.
    """

    in_features: int
    out_features: int
    weight_offset: int
    bias_offset: int
    input_stride: int
    output_stride: int
    propagate: bool
    relu: bool

    @property
    def floor(self) -> float:
        """The least value it gives: 0 with ReLU."""
        return 0.0 if self.relu else -math.inf

    @property
    def is_propagated_first(self) -> bool:
        """Whether the graph filters what comes in, (A H) W, or else what goes out, A (H W): the narrower of the two."""
        return self.propagate and self.in_features <= self.out_features


@dataclass(frozen=True, kw_only=True)
class StackLayout:
    """A stack over a grid: layers node by node, a weighted mean over the nodes, a last matrix.

    Args:
        rows: The normalised path of the grid's rows, H x H.
        columns: That of its columns, W x W; the normalised adjacency is the Kronecker product of the two.
        num_channels: Image channels.
        num_positions: Constant features of each node beside the channels.
        layers: What is computed for each node.
        head: What is computed of the mean, without ReLU; None where the mean is the answer.
        num_parameters: How many parameters there are.
        real_type: `float` or `double`.
    """

    rows: tuple[tuple[float, ...], ...]
    columns: tuple[tuple[float, ...], ...]
    num_channels: int
    num_positions: int
    layers: tuple[Dense, ...]
    head: Dense | None
    num_parameters: int
    real_type: str

    @property
    def height(self) -> int:
        """Rows of pixels, H."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Columns of pixels, W."""
        return len(self.columns)

    @property
    def num_nodes(self) -> int:
        """Number of pixels, N."""
        return self.height * self.width

    @property
    def num_features(self) -> int:
        """Features of each node that the first layer takes."""
        return self.num_channels + self.num_positions

    @property
    def num_pooled(self) -> int:
        """Features of each node when the mean is taken."""
        return self.layers[-1].out_features if self.layers else self.num_features

    @property
    def num_classes(self) -> int:
        """Number of logits, K."""
        return self.head.out_features if self.head else self.num_pooled

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image, forward and backward."""
        forward = sum(self.num_nodes * layer.in_features * layer.out_features for layer in self.layers)
        first = self.num_nodes * self.layers[0].in_features * self.layers[0].out_features if self.layers else 0
        filtered = sum(
            12 * self.num_nodes * min(each.in_features, each.out_features) for each in self.layers if each.propagate
        )
        return 3 * forward - first + filtered

    @property
    def max_features(self) -> int:
        """The largest number of features of a node."""
        return max([self.num_features, *(layer.out_features for layer in self.layers)])

    def node_weights(self) -> list[float]:
        """Return the share of each node in the mean (N). A head that propagates does it here: 1^T A / N."""
        if self.head is None or not self.head.propagate:
            return [1 / self.num_nodes] * self.num_nodes
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
