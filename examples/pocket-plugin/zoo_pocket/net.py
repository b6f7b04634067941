"""Define a gated graph encoder, one layer of a graph network."""

import torch
from torch import Tensor, nn

from zoo.graph import PixelGraph


class GatedEncoder(nn.Module):
    """H' = (1 - Z) H + Z tanh(A H W + b) with gates Z = sigmoid([H, A H] V + c).

    Args:
        width: Features of each node, F.
        openness: Initial bias of the gates: above 0 they begin open, below 0 closed.
    """

    def __init__(self, width: int, openness: float = 0.0) -> None:
        super().__init__()
        self.update = nn.Linear(width, width)
        self.gate = nn.Linear(2 * width, width)
        self.openness = openness

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, F) for nodes (B, N, F)."""
        neighbours = graph.propagate(nodes)
        gate = torch.sigmoid(self.gate(torch.cat([nodes, neighbours], 2)) + self.openness)  # (B, N, F)
        return nodes + gate * (torch.tanh(self.update(neighbours)) - nodes)
