"""The graph network of paper 1, section 2.2."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fused import Layer, Stack
from zoo.graph import PixelGraph


class GraphConvolution(nn.Module):
    """H' = A H W + b with A the normalised adjacency (Kipf and Welling 2017, eq. 2).

    A is applied at the narrower of the two widths: A (H W) = (A H) W.

    Args:
        inputs: Features of each node that come in.
        outputs: Features of each node that go out.
        bias: The biases b begin uniformly between -bias and bias.
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
        """Return the same as a layer of a stack."""
        return Layer(weight=self.weight, bias=self.bias, relu=relu)


class GridGCN(nn.Module):
    """Graph convolutions over the pixel grid, ReLU between them, and the mean over the nodes.

    Images (B, C, H, W) become nodes (B, H W, C); edges join each pixel with its 8 neighbours and itself.

    Args:
        size: Height and width of the grid.
        channels: Features of each node: 1 for grey values.
        hidden: Widths of the layers between.
        classes: Number of classes, K.
        last_relu: ReLU after the last convolution too, the other reading of "after each convolution" in section 2.2;
            the published loss curve is met without it.
        bias: Biases begin uniformly between -bias and bias; the paper's begin at 0. On grey values, which are never
            negative, ReLU then cuts every feature of the first layer at the same place or kills it, and they are all
            one feature; with biases each is cut at a place of its own.
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
            raise ConfigError(f"biases begin between -bias and bias, so bias is at least 0, not {bias}")
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
        """Return logits (B, K) for those nodes, or their mean (B, F)."""
        if pre_logits:
            return nodes.mean(1)
        nodes = self.convolutions[-1](nodes, self.grid)  # (B, N, K)
        return (nodes.relu() if self.last_relu else nodes).mean(1)

    def stack(self) -> Stack:
        """Return what the net computes, so that it is trained in one piece."""
        relus = [True] * (len(self.convolutions) - 1) + [self.last_relu]
        pairs = zip(self.convolutions, relus, strict=True)
        layers = [each.layer(relu=relu) for each, relu in pairs if isinstance(each, GraphConvolution)]
        return Stack(graph=self.grid, channels=self.channels, layers=layers)
