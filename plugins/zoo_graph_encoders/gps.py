"""Define the encoder that adds message passing and global attention."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.graph import PixelGraph
from zoo_graph_encoders.attention import RelativeAttention
from zoo_graph_encoders.block import FeedForward, NodeNorm
from zoo_graph_encoders.rgcn import RelationalConvolution


class GPS(nn.Module):
    """GPS layer (Rampasek et al. 2022, "Recipe for a general, powerful, scalable graph transformer", eq. 2 to 5).

    X_M = norm(X + relu(RGCN(X))), X_T = norm(X + attention(X)), and X' = norm(Y + FFN(Y)) with Y = X_M + X_T.
    Messages have a weight matrix for each direction, attention a bias for relative positions.
    Nodes (B, N, width) to (B, N, width).

    Args:
        width: Features of each node.
        size: Height and width of the grid, on which the table of the attention's biases depends.
        heads: Heads of the attention, which share the width.
        expansion: Hidden width of the feed-forward layer, as a multiple of `width`.
        dropout: Share of features and of attention weights dropped in training.
    """

    def __init__(
        self, width: int, size: tuple[int, int], heads: int = 4, expansion: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.messages = RelationalConvolution(width)
        self.messages_norm = NodeNorm(width)
        self.attention = RelativeAttention(width, size, heads, dropout)
        self.attention_norm = NodeNorm(width)
        self.feed_forward = FeedForward(width, expansion, dropout)
        self.last_norm = NodeNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        if (graph.height, graph.width) != self.attention.size:
            height, width = self.attention.size
            raise ConfigError(f"gps was built for a grid of {height} x {width}, not {graph.height} x {graph.width}")
        local = self.messages_norm(nodes + self.dropout(self.messages(nodes, graph).relu()))
        attended = self.attention_norm(nodes + self.dropout(self.attention(nodes)))
        both = local + attended
        encoded: Tensor = self.last_norm(both + self.feed_forward(both))
        return encoded
