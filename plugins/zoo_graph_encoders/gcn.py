"""Define the graph convolution encoder."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.fused import Layer
from zoo.graph import PixelGraph


class GraphConvolution(nn.Module):
    """Kipf and Welling 2017, "Semi-supervised classification with graph convolutional networks", eq. 2.

    H' = D^-1/2 A D^-1/2 H W + b: nodes (B, N, width) to (B, N, width). It is pure torch, since over a grid the product
    with the normalised adjacency is a filter along rows and columns. Equal to torch_geometric's `GCNConv`.

    Args:
        width: Features of each node.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        convolved: Tensor = self.linear(graph.propagate(nodes))
        return convolved


class GCN(nn.Module):
    """A graph convolution and ReLU; see `GraphConvolution`.

    Args:
        width: Features of each node.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = GraphConvolution(width)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        convolved: Tensor = self.convolution(nodes, graph)
        return convolved.relu()

    def layer(self) -> Layer:
        """Return this encoder as a layer of a fused stack; it shares the parameters."""
        return Layer.from_linear(self.convolution.linear)
