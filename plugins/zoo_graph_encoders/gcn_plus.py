"""Define the graph convolution encoder with normalisation, residual and feed-forward."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.graph import PixelGraph
from zoo_graph_encoders.block import PlusBlock
from zoo_graph_encoders.gcn import GraphConvolution


class GCNPlus(nn.Module):
    """GCN+ (Luo, Shi and Wu 2025): graph convolution, normalisation, residual, feed-forward; see `PlusBlock`.

    All neighbours have the same weights, so rotating or mirroring a square image rotates or mirrors the nodes.

    Args:
        width: Features of each node.
        expansion: Hidden width of the feed-forward layer, as a multiple of `width`.
        dropout: Share of features dropped in training.
    """

    def __init__(self, width: int, expansion: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.block = PlusBlock(GraphConvolution(width), width, expansion, dropout)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        encoded: Tensor = self.block(nodes, graph)
        return encoded
