"""Define the encoder of attention along the edges, with queries, keys and values."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.graph import PixelGraph
from zoo_graph_encoders.attention import check_heads
from zoo_graph_encoders.geometric import apply_batched, import_pyg


class Transformer(nn.Module):
    """Shi et al. 2021, "Masked label prediction: unified message passing", eq. 3 and 4.

    h_i' = relu(W_1 h_i + concatenated heads of sum over j in N(i) of alpha_ij W_2 h_j), alpha the softmax over j of
    (W_3 h_i)^T (W_4 h_j) / sqrt(d). Nodes (B, N, width) to (B, N, width). torch_geometric's `TransformerConv`.

    Args:
        width: Features of each node.
        heads: Number of heads, which share the width.
        dropout: Share of attention weights dropped in training.
    """

    def __init__(self, width: int, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        check_heads("transformer", width, heads)
        self.convolution = import_pyg("transformer").TransformerConv(width, width // heads, heads, dropout=dropout)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        return apply_batched(self.convolution, nodes, graph).relu()
