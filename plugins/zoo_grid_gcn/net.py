"""Define the graph network of paper 1, section 2.2."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fused import Layer, Stack
from zoo.graph import PixelGraph


class GraphConvolution(nn.Module):
    """H' = A H W + b with A the normalised adjacency (Kipf and Welling 2017, eq. 2).

    A is applied on the side with fewer features, since A (H W) = (A H) W.

    Args:
        inputs: Features of each node at the input.
        outputs: Features of each node at the output.
        bias: The biases b are initialised uniformly between -bias and bias.
    """

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.xavier_uniform_(self.weight)
        if bias:
            nn.init.uniform_(self.bias, -bias, bias)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, outputs) for nodes (B, N, inputs)."""
        inputs, outputs = self.weight.shape
        if inputs <= outputs:
            return graph.propagate(nodes) @ self.weight + self.bias
        return graph.propagate(nodes @ self.weight) + self.bias

    def layer(self, *, relu: bool) -> Layer:
        """Return this convolution as a layer of a fused stack; it shares the parameters."""
        return Layer(weight=self.weight, bias=self.bias, relu=relu)


class GridGCN(nn.Module):
    """Graph convolutions over the pixel grid, ReLU between them, and the mean over the nodes.

    Images (B, C, H, W) become nodes (B, H W, C); edges join each pixel with its 8 neighbours and itself.

    Args:
        size: Height and width of the grid.
        channels: Features of each node: 1 for grey values.
        hidden: Widths of the hidden layers.
        classes: Number of classes, K.
        last_relu: Apply ReLU after the last convolution too. Section 2.2 says "after each convolution", but without it
            the loss curve is the published one.
        bias: Biases are initialised uniformly between -bias and bias; the paper's start at 0. Grey values are never
            negative, so without biases each feature of the first layer is 0 for every image or proportional to the
            grey value. With biases each feature has a threshold of its own.
    """

    def __init__(
        self,
        size: tuple[int, int],
        channels: int = 1,
        hidden: tuple[int, ...] = (16, 32),
        classes: int = 10,
        last_relu: bool = False,
        bias: float = 0.0,
    ) -> None:
        super().__init__()
        if bias < 0:
            raise ConfigError(f"biases are initialised between -bias and bias, so bias is at least 0, not {bias}")
        widths = (channels, *hidden, classes)
        self.channels = channels
        self.grid = PixelGraph(*size)
        pairs = pairwise(widths)
        self.convolutions = nn.ModuleList(GraphConvolution(*pair, bias) for pair in pairs)
        self.last_relu = last_relu

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W)."""
        return self.forward_head(self.forward_features(images))

    def forward_features(self, images: Tensor) -> Tensor:
        """Return the nodes before the last convolution, (B, N, F)."""
        nodes = images.flatten(2).mT  # (B, N, C)
        for convolution in self.convolutions[:-1]:
            nodes = convolution(nodes, self.grid).relu()  # (B, N, F)
        return nodes

    def forward_head(self, nodes: Tensor, pre_logits: bool = False) -> Tensor:
        """Return logits (B, K) for the nodes (B, N, F), or their mean (B, F) with `pre_logits`."""
        if pre_logits:
            return nodes.mean(1)
        nodes = self.convolutions[-1](nodes, self.grid)  # (B, N, K)
        return (nodes.relu() if self.last_relu else nodes).mean(1)

    def stack(self) -> Stack:
        """Return the whole net as a fused stack, which is trained as one compiled program."""
        relus = [True] * (len(self.convolutions) - 1) + [self.last_relu]
        pairs = zip(self.convolutions, relus, strict=True)
        layers = [each.layer(relu=relu) for each, relu in pairs if isinstance(each, GraphConvolution)]
        return Stack(graph=self.grid, channels=self.channels, layers=layers)
