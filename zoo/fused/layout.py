"""Describe a stack of graph convolutions by its shapes and the offsets of its parameters; programs are made for it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A linear layer whose matrix and bias are parts of the flat parameters: H' = H W + b.

    Args:
        in_features: Number of input features.
        out_features: Number of output features.
        weight_offset: Offset of the matrix.
        bias_offset: Offset of the bias.
        input_stride: Step from one input to the next in the matrix.
        output_stride: Step from one output to the next in the matrix.
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
        """The smallest output: 0 with ReLU, else -inf."""
        return 0.0 if self.relu else -math.inf

    @property
    def is_propagated_first(self) -> bool:
        """Whether the inputs are propagated, (A H) W, rather than the outputs, A (H W): the narrower of the two is."""
        return self.propagate and self.in_features <= self.out_features


@dataclass(frozen=True, kw_only=True)
class StackLayout:
    """A stack over a grid: layers applied to each node, a weighted mean over the nodes, and a last linear layer.

    Args:
        rows: The normalised path of the grid's rows, H x H.
        columns: The normalised path of the grid's columns, W x W. The normalised adjacency is the Kronecker product of
            the two paths.
        num_channels: Number of image channels.
        num_positions: Number of constant features of each node after the channels.
        layers: The layers applied to each node.
        head: The layer applied to the mean, without ReLU; None where the mean gives the logits.
        num_parameters: Number of parameters.
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
        """Number of input features of the first layer."""
        return self.num_channels + self.num_positions

    @property
    def num_pooled(self) -> int:
        """Number of features that the mean is taken of."""
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
        """Largest number of features of a node, over all layers."""
        return max([self.num_features, *(layer.out_features for layer in self.layers)])

    def node_weights(self) -> list[float]:
        """Return the weight of each node in the mean, (N).

        The propagation of a head is part of these weights: 1^T A / N.
        """
        if self.head is None or not self.head.propagate:
            return [1 / self.num_nodes] * self.num_nodes
        row_weights, column_weights = (
            [sum(line[index] for line in path) / len(path) for index in range(len(path))]
            for path in (self.rows, self.columns)
        )
        return [row * column for row in row_weights for column in column_weights]


def taps(path: tuple[tuple[float, ...], ...]) -> list[float]:
    """Return the three filter taps of each node of a path: for the node before it, itself and the node after it."""
    last = len(path) - 1
    return [
        path[index][index + step] if 0 <= index + step <= last else 0.0
        for index in range(last + 1)
        for step in (-1, 0, 1)
    ]
