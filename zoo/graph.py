"""A grid of pixels as a graph: one node a pixel, edges to its neighbours."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError

DENSE_NODES = 256
"""Largest grid whose adjacency is multiplied as one matrix; larger ones are filtered along rows and columns."""


class PixelGraph(nn.Module):
    """The 8-neighbour grid with self-loops, and its symmetric normalisation (Kipf and Welling 2017, eq. 2).

    With b the tridiagonal matrix of ones, A + I of the grid is the Kronecker product of two b, and so is the degree;
    hence D^-1/2 (A + I) D^-1/2 is the Kronecker product of two small matrices, and propagation is a filter along the
    rows and one along the columns.

    Args:
        height: Rows of pixels.
        width: Columns of pixels.

    Raises:
        ConfigError: A side is below 1.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        if min(height, width) < 1:
            raise ConfigError(f"a grid has at least one row and one column, not {height} x {width}")
        self.height, self.width = height, width
        rows, columns = _normalised_chain(height), _normalised_chain(width)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)
        dense = torch.kron(rows, columns) if height * width <= DENSE_NODES else None
        self.register_buffer("_dense", dense, persistent=False)
        self.rows: Tensor
        self.columns: Tensor
        self._dense: Tensor | None

    @property
    def num_nodes(self) -> int:
        """Number of pixels, N."""
        return self.height * self.width

    def adjacency(self) -> Tensor:
        """Return the normalised adjacency, float32 (N, N)."""
        return torch.kron(self.rows, self.columns)

    def edge_index(self) -> Tensor:
        """Return the edges as int64 (2, E), self-loops included: E = (3 H - 2) (3 W - 2)."""
        return self.adjacency().nonzero().T.contiguous()

    def propagate(self, nodes: Tensor) -> Tensor:
        """Return the normalised adjacency times node features (B, N, F)."""
        if self._dense is not None:
            return self._dense @ nodes
        grid = nodes.unflatten(1, (self.height, self.width))  # (B, H, W, F)
        filtered = torch.einsum("ij,bjwf->biwf", self.rows, grid)
        return torch.einsum("ij,bhjf->bhif", self.columns, filtered).flatten(1, 2)


def _normalised_chain(length: int) -> Tensor:
    """Return d^-1/2 b d^-1/2 for the chain of `length` nodes with self-loops."""
    near = (torch.arange(length)[:, None] - torch.arange(length)[None, :]).abs() <= 1
    chain = near.double()
    scale = chain.sum(1).rsqrt()
    return (scale[:, None] * chain * scale[None, :]).float()
