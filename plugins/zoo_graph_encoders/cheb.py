"""Define the encoder of Chebyshev filters of the graph's spectrum."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.graph import PixelGraph
from zoo_graph_encoders.geometric import import_pyg


class Cheb(nn.Module):
    """ChebNet (Defferrard, Bresson and Vandergheynst 2016, eq. 4 and 5).

    H' = relu(sum over k < order of T_k(L) H W_k + b) with L = -D^-1/2 A D^-1/2, the Laplacian scaled to [-1, 1], and
    T_k = 2 L T_{k-1} - T_{k-2}. Nodes (B, N, width) to (B, N, width). torch_geometric's `ChebConv`, without self-loops.

    Args:
        width: Features of each node.
        order: Number of polynomials; messages travel `order` - 1 edges.
    """

    def __init__(self, width: int, order: int = 3) -> None:
        super().__init__()
        if order < 1:
            raise ConfigError(f"cheb needs at least 1 polynomial, not order={order}")
        self.convolution = import_pyg("cheb").ChebConv(width, width, order)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        convolved: Tensor = self.convolution(nodes, graph.edge_index_without_loops())
        return convolved.relu()
