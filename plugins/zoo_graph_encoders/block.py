"""Define the parts around an operator in a deep graph network: normalisation, residual, feed-forward."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.graph import PixelGraph


class NodeNorm(nn.BatchNorm1d):
    """Batch normalisation (Ioffe and Szegedy 2015) of each feature over all nodes of all graphs: (B, N, F)."""

    def forward(self, nodes: Tensor) -> Tensor:
        """Normalise each feature to mean 0 and variance 1, then scale and shift it, (B, N, F)."""
        normalised: Tensor = super().forward(nodes.flatten(0, -2))
        return normalised.view_as(nodes)


class FeedForward(nn.Sequential):
    """Two linear layers with ReLU and dropout between them, applied to each node (Vaswani et al. 2017, section 3.3).

    Args:
        width: Features of each node.
        expansion: Width of the hidden layer, as a multiple of `width`.
        dropout: Share of features dropped in training.
    """

    def __init__(self, width: int, expansion: int, dropout: float) -> None:
        hidden = width * expansion
        super().__init__(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width))


class PlusBlock(nn.Module):
    """GNN+ (Luo, Shi and Wu 2025, "Can classic GNNs be strong baselines for graph-level tasks?", eq. 7 to 9).

    H = X + dropout(relu(norm(operator(X)))); the output is norm(H + FFN(H)).

    Args:
        operator: Maps nodes (B, N, width) and a graph to nodes (B, N, width).
        width: Features of each node.
        expansion: Hidden width of the feed-forward layer, as a multiple of `width`.
        dropout: Share of features dropped in training.
    """

    def __init__(self, operator: nn.Module, width: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.operator = operator
        self.norm = NodeNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, expansion, dropout)
        self.last_norm = NodeNorm(width)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        nodes = nodes + self.dropout(self.norm(self.operator(nodes, graph)).relu())
        normalised: Tensor = self.last_norm(nodes + self.feed_forward(nodes))
        return normalised
