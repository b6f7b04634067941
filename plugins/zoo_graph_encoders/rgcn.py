"""Define the graph convolution encoder with a weight matrix for each direction."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.graph import PixelGraph
from zoo_graph_encoders.block import PlusBlock


class RelationalConvolution(nn.Module):
    """Schlichtkrull et al. 2018, "Modeling relational data with graph convolutional networks", eq. 2.

    h_i' = sum over relations r of sum over j in N_i^r of W_r h_j / |N_i^r|, + b. The relation is the direction from the
    pixel to its neighbour; W_0 is the self-loop's. A pixel has one neighbour in each direction, |N_i^r| = 1, so over
    the 8-neighbour grid with self-loops this *is* a 3 x 3 convolution with zero padding, and is computed as one.
    Nodes (B, N, width) to (B, N, width).

    Args:
        width: Features of each node.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        bound = (9 * width) ** -0.5
        self.weight = nn.Parameter(torch.empty(9, width, width).uniform_(-bound, bound))  # (direction, in, out)
        self.bias = nn.Parameter(torch.empty(width).uniform_(-bound, bound))

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        grid = nodes.unflatten(1, (graph.height, graph.width)).permute(0, 3, 1, 2)  # (B, F, H, W), channels last
        convolved = F.conv2d(grid, self._kernel(graph), self.bias, padding=1)
        return convolved.flatten(2).mT

    def _kernel(self, graph: PixelGraph) -> Tensor:
        """Return the weights as a kernel (out, in, 3, 3), with zeros for directions that the graph lacks."""
        offsets = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
        pairs = zip(offsets, self.weight, strict=True)
        weights = [weight if offset in graph.offsets else 0 * weight for offset, weight in pairs]
        return torch.stack(weights).permute(2, 1, 0).reshape(*self.weight.shape[:0:-1], 3, 3)


class RGCN(nn.Module):
    """A relational convolution with normalisation, residual and feed-forward; see `PlusBlock`.

    Args:
        width: Features of each node.
        expansion: Hidden width of the feed-forward layer, as a multiple of `width`.
        dropout: Share of features dropped in training.
    """

    def __init__(self, width: int, expansion: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.block = PlusBlock(RelationalConvolution(width), width, expansion, dropout)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        encoded: Tensor = self.block(nodes, graph)
        return encoded
