"""Represent a grid of pixels as a graph: a node for each pixel, edges to its neighbours."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.graph.edges import build_edges, list_offsets
from zoo.graph.path_spectrum import grid_laplacian_eigenvectors, normalized_path_adjacency, path_adjacency

MAX_DENSE_NODES = 256
"""Largest grid whose adjacency is multiplied as one matrix; larger grids are filtered along rows and columns."""


class PixelGraph(nn.Module):
    """A grid of 4 or 8 neighbours with its symmetric normalisation D^-1/2 A D^-1/2 (Kipf and Welling 2017, eq. 2).

    All views show the same graph: `propagate` (dense, or along rows and columns, whichever is faster), `adjacency`,
    `edge_index`, `batch_edges`, `relations`. Only the result of `adjacency` grows with the square of the number of
    pixels.

    Let b be the tridiagonal matrix of ones. A + I of the 8-neighbour grid is the Kronecker product of two b, and so is
    its degree. So the normalisation is the Kronecker product of two small matrices, `rows` and `columns`, and
    propagation is a filter along the rows and one along the columns. The other grids are sums of such filters.

    Args:
        height: Rows of pixels.
        width: Columns of pixels.
        neighbours: 8, or 4 without the diagonal neighbours.
        self_loops: Whether each pixel is a neighbour of itself.

    Attributes:
        is_product: Whether the normalised adjacency is the Kronecker product of `rows` and `columns`: on the
            8-neighbour grid with self-loops. On other grids these are paths of zeros and ones.
        rows: The path of the rows, float32 (H, H).
        columns: The path of the columns, float32 (W, W).
        offsets: Offsets of the neighbours, as (rows down, columns right), one for each of the `relations`.

    Raises:
        ConfigError: A side is below 1, or `neighbours` is neither 4 nor 8.
    """

    def __init__(self, height: int, width: int, *, neighbours: Literal[4, 8] = 8, self_loops: bool = True) -> None:
        super().__init__()
        if min(height, width) < 1:
            raise ConfigError(f"a grid has at least one row and one column, not {height} x {width}")
        if neighbours not in (4, 8):
            raise ConfigError(f"a pixel of a grid has 4 or 8 neighbours, not {neighbours!r}")
        self.height, self.width, self.neighbours, self.self_loops = height, width, neighbours, self_loops
        self.offsets = list_offsets(neighbours, self_loops)
        edges, relations = build_edges(height, width, self.offsets)
        self.is_product = neighbours == 8 and self_loops
        path = normalized_path_adjacency if self.is_product else path_adjacency
        degrees = torch.bincount(edges[1], minlength=height * width).clamp_min(1)
        # Checkpoints store these tensors by name: do not rename them. `_kinds` are relations, `_steps` are offsets.
        self._register_constant("rows", path(height).float())
        self._register_constant("columns", path(width).float())
        self._register_constant("_scale", degrees.double().rsqrt().float()[:, None])  # (N, 1)
        self._register_constant("_edges", edges)
        self._register_constant("_kinds", relations)
        self._register_constant("_steps", torch.tensor(self.offsets).view(-1, 2).float())
        self._register_constant("_dense", self.adjacency() if height * width <= MAX_DENSE_NODES else None)
        self.rows: Tensor
        self.columns: Tensor
        self._scale: Tensor
        self._edges: Tensor
        self._kinds: Tensor
        self._steps: Tensor
        self._dense: Tensor | None

    def _register_constant(self, name: str, tensor: Tensor | None) -> None:
        self.register_buffer(name, tensor, persistent=False)

    @property
    def num_nodes(self) -> int:
        """Number of pixels, N."""
        return self.height * self.width

    def adjacency(self) -> Tensor:
        """Return the normalised adjacency, float32 (N, N)."""
        if self.is_product:
            return torch.kron(self.rows, self.columns)
        source, target = self._edges
        dense = self._scale.new_zeros(self.num_nodes, self.num_nodes)
        dense[target, source] = (self._scale[source] * self._scale[target]).squeeze(1)
        return dense

    def edge_index(self) -> Tensor:
        """Return the edges, int64 (2, E): sources in the first row, targets in the second, self-loops last.

        E is (3 H - 2) (3 W - 2) for 8 neighbours with self-loops.
        """
        return self._edges

    def edge_index_without_loops(self) -> Tensor:
        """Return the edges between different pixels: `edge_index` without self-loops."""
        return self._edges[:, : self._edges.shape[1] - self.num_nodes] if self.self_loops else self._edges

    def batch_edges(self, num_copies: int, *, edges: Tensor | None = None) -> Tensor:
        """Return the edges of `num_copies` copies as one graph, int64 (2, B E), for nodes flattened to (B N, F).

        Args:
            num_copies: Number of copies, B.
            edges: The edges of one copy; `edge_index()` by default.
        """
        edge_index = self._edges if edges is None else edges
        first_nodes = torch.arange(num_copies, device=edge_index.device) * self.num_nodes
        return (edge_index[:, None, :] + first_nodes[None, :, None]).flatten(1)

    @property
    def relations(self) -> Tensor:
        """The direction each edge comes from, int64 (E): an index into `offsets`."""
        return self._kinds

    def edge_offsets(self) -> Tensor:
        """Return the offset of each edge, from target to source: rows down and columns right, float32 (E, 2)."""
        return self._steps[self._kinds]

    def coordinates(self) -> Tensor:
        """Return each pixel's row and column, from -1 to 1, float32 (N, 2)."""
        rows, columns = (torch.linspace(-1, 1, side) if side > 1 else torch.zeros(1) for side in self._sides)
        grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1)
        return grid.flatten(0, 1).to(self._scale)

    @property
    def _sides(self) -> tuple[int, int]:
        return self.height, self.width

    def laplacian_eigenvectors(self, num_vectors: int) -> Tensor:
        """Return the smoothest eigenvectors of the grid's Laplacian, float32 (N, num_vectors), with mean square 1.

        For 8 neighbours the Laplacian is that of the normalised grid with self-loops, I - D^-1/2 A D^-1/2. For 4
        neighbours it is D - A, which self-loops do not change. The result is exact: an eigenvector is the product of
        an eigenvector of the rows and one of the columns.

        Raises:
            ConfigError: The grid has fewer eigenvectors, without the first, constant one.
        """
        if not 0 <= num_vectors < self.num_nodes:
            raise ConfigError(f"a grid of {self.num_nodes} nodes has {self.num_nodes - 1} positions, not {num_vectors}")
        vectors = grid_laplacian_eigenvectors(*self._sides, self.neighbours, num_vectors)
        return vectors.mul(self.num_nodes**0.5).to(self._scale)

    def coarsen(self) -> PixelGraph:
        """Return the grid of half the height and width, rounded up: the next level of a pyramid."""
        sizes = ((side + 1) // 2 for side in self._sides)
        return PixelGraph(*sizes, neighbours=self.neighbours, self_loops=self.self_loops).to(self._scale)

    def pool(self, nodes: Tensor) -> Tensor:
        """Return the means of 2 x 2 pixels, (B, N', F) on the grid of `coarsen`, for nodes (B, N, F).

        Squares that are cut off by the border are means of fewer pixels.
        """
        grid = nodes.mT.reshape(*nodes.shape[::2], *self._sides)  # (B, F, H, W)
        return F.avg_pool2d(grid, 2, ceil_mode=True).flatten(2).mT

    def propagate(self, nodes: Tensor) -> Tensor:
        """Return the normalised adjacency times node features (B, N, F)."""
        if self._dense is not None:
            return self._dense @ nodes
        return self.propagate_separable(nodes)

    def propagate_separable(self, nodes: Tensor) -> Tensor:
        """Return the same as `propagate`, by filters along rows and columns, which need no N x N matrix."""
        if self.is_product:
            return self._filter_side(self._filter_side(nodes, "rows"), "columns")
        scaled = nodes * self._scale
        if self.neighbours == 8:
            total = self._filter_side(self._filter_side(scaled, "rows"), "columns") - scaled
        else:
            total = (
                self._filter_side(scaled, "rows")
                + self._filter_side(scaled, "columns")
                - scaled * (2 - self.self_loops)
            )
        return total * self._scale

    def _filter_side(self, nodes: Tensor, side: Literal["rows", "columns"]) -> Tensor:
        grid = nodes.unflatten(1, self._sides)  # (B, H, W, F)
        if side == "rows":
            return torch.einsum("ij,bjwf->biwf", self.rows, grid).flatten(1, 2)
        return torch.einsum("ij,bhjf->bhif", self.columns, grid).flatten(1, 2)
