"""Define the graph attention encoder."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.graph import PixelGraph
from zoo_graph_encoders.attention import check_heads
from zoo_graph_encoders.geometric import apply_batched, import_pyg


class GAT(nn.Module):
    """Velickovic et al. 2018, "Graph attention networks", eq. 1 to 5.

    h_i' = relu(concatenated heads of sum over j in N(i) of alpha_ij W h_j + b), alpha the softmax over j of
    a^T leaky([W h_i, W h_j]). Nodes (B, N, width) to (B, N, width). torch_geometric's `GATConv`. N(i) holds i if
    the graph has self-loops.

    Args:
        width: Features of each node.
        heads: Number of heads, which share the width.
        dropout: Share of attention weights dropped in training.
    """

    def __init__(self, width: int, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        check_heads("gat", width, heads)
        operator = import_pyg("gat").GATConv
        self.convolution = operator(width, width // heads, heads, add_self_loops=False, dropout=dropout)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        return apply_batched(self.convolution, nodes, graph).relu()
