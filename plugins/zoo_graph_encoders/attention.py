"""Define attention of every node to every other, with a bias for their relative position."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError


def check_heads(encoder: str, width: int, heads: int) -> None:
    """Raise a `ConfigError` unless the width is divisible by the number of heads."""
    if heads < 1 or width % heads:
        raise ConfigError(f"{encoder} divides its width among its heads: {width} is not divisible by {heads}")


class RelativeAttention(nn.Module):
    """Multi-head self-attention with a learned bias for each relative position (Liu et al. 2021, Swin, eq. 4).

    softmax(Q K^T / sqrt(d) + B) V with B[i, j] from a table of (2 H - 1) x (2 W - 1) relative positions. Nodes
    (B, N, width) to (B, N, width). Time and memory grow with the square of N.

    Args:
        width: Features of each node.
        size: Height and width of the grid.
        heads: Number of heads, which share the width.
        dropout: Share of attention weights dropped in training.
    """

    def __init__(self, width: int, size: tuple[int, int], heads: int, dropout: float) -> None:
        super().__init__()
        check_heads("gps", width, heads)
        self.size, self.heads = size, heads
        self.mixed = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.table = nn.Parameter(torch.zeros(heads, 2 * size[0] - 1, 2 * size[1] - 1))
        self.dropout = nn.Dropout(dropout)

    def bias(self) -> Tensor:
        """Return the bias of each pair of nodes, (heads, N, N)."""
        height, width = self.size
        windows = self.table.unfold(1, height, 1).unfold(2, width, 1)  # (heads, H, W, H, W)
        return windows.flip(3, 4).reshape(self.heads, height * width, height * width)

    def forward(self, nodes: Tensor) -> Tensor:
        """Return nodes (B, N, width) for nodes (B, N, width)."""
        query, key, value = self.mixed(nodes).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, h, N, d)
        scores = (query * query.shape[-1] ** -0.5) @ key.mT + self.bias()  # (B, h, N, N)
        attended = self.dropout(scores.softmax(-1)) @ value
        gathered: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return gathered
