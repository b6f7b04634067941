"""One step of the gated graph network."""

import torch
from torch import Tensor, nn

from zoo.graph import PixelGraph


class Gated(nn.Module):
    """H' = (1 - Z) H + Z tanh(A H W + b) with gates Z = sigmoid([H, A H] V + c).

    Args:
        width: Features of each node, F.
        openness: Where the gates begin: above 0 is open, below closed.
    """

    def __init__(self, width: int, openness: float = 0.0) -> None:
        super().__init__()
        self.said = nn.Linear(width, width)
        self.gate = nn.Linear(2 * width, width)
        self.openness = openness

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, F) for nodes (B, N, F)."""
        around = graph.propagate(nodes)
        gate = torch.sigmoid(self.gate(torch.cat([nodes, around], 2)) + self.openness)  # (B, N, F)
        return nodes + gate * (torch.tanh(self.said(around)) - nodes)
