"""Define the encoder whose graph joins each node with the most similar ones, whatever their position."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.graph import PixelGraph, gather_neighbours, nearest_neighbours
from zoo_graph_encoders.block import FeedForward, NodeNorm


class MaxRelative(nn.Module):
    """Max-relative convolution (Li et al. 2019, "DeepGCNs", eq. 8) over the k nearest nodes in feature space.

    h_i' = W [h_i, max over j in N(i) of (h_j - h_i)] + b, where N(i) is computed for every image. Nodes
    (B, N, width) to (B, N, width); time grows with the square of N, memory with N k.

    Args:
        width: Features of each node.
        k: Number of neighbours, including the node itself; all nodes if the grid has fewer.
    """

    def __init__(self, width: int, k: int) -> None:
        super().__init__()
        self.k = k
        self.linear = nn.Linear(2 * width, width)

    def forward(self, nodes: Tensor) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        largest = nodes.gather(1, self._find_largest(nodes.detach()))
        relative: Tensor = self.linear(torch.cat([nodes, largest - nodes], 2))
        return relative

    def _find_largest(self, nodes: Tensor) -> Tensor:
        """Return for each node and feature the index of the neighbour with the largest value, int64 (B, N, F)."""
        neighbours = nearest_neighbours(nodes, min(self.k, nodes.shape[1]))
        return neighbours.gather(2, gather_neighbours(nodes, neighbours).max(2).indices)


class ViG(nn.Module):
    """Vision GNN block (Han et al. 2022, "Vision GNN: an image is worth graph of nodes", eq. 5 and 6).

    Grapher: Y = X + W_2 relu(MaxRelative(W_1 X)), then Y + FFN(Y), each linear map followed by batch normalisation.
    The graph depends only on the features; the pixel grid is not used, so positions must be features of the nodes.

    Args:
        width: Features of each node.
        k: Number of neighbours.
        expansion: Hidden width of the feed-forward layer, as a multiple of `width`.
        dropout: Share of features dropped in training.
    """

    def __init__(self, width: int, k: int = 9, expansion: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.Linear(width, width), NodeNorm(width))
        self.convolution = MaxRelative(width, k)
        self.after = nn.Sequential(NodeNorm(width), nn.ReLU(), nn.Linear(width, width), NodeNorm(width))
        self.feed_forward = FeedForward(width, expansion, dropout)
        self.last_norm = NodeNorm(width)

    def forward(self, nodes: Tensor, graph: PixelGraph) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        nodes = nodes + self.after(self.convolution(self.before(nodes)))
        encoded: Tensor = nodes + self.last_norm(self.feed_forward(nodes))
        return encoded
