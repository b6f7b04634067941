"""Compute the adjacency and the eigenvectors of a path of n nodes; a grid is the product of two paths."""

from __future__ import annotations

import torch
from torch import Tensor


def path_adjacency(length: int) -> Tensor:
    """Return the adjacency of a path with self-loops: the tridiagonal matrix of ones, float64 (n, n)."""
    indices = torch.arange(length)
    return ((indices[:, None] - indices[None, :]).abs() <= 1).double()


def normalized_path_adjacency(length: int) -> Tensor:
    """Return d^-1/2 b d^-1/2 for the path of `length` nodes with self-loops, float64 (n, n)."""
    adjacency = path_adjacency(length)
    scale = adjacency.sum(1).rsqrt()
    return scale[:, None] * adjacency * scale[None, :]


def normalized_path_eigh(length: int) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (n), largest first, and eigenvectors (n, n) in columns, of the normalised path."""
    values, vectors = torch.linalg.eigh(normalized_path_adjacency(length))
    return values.flip(0), _fix_signs(vectors.flip(1))


def path_laplacian_eigh(length: int) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (n), smallest first, and eigenvectors (n, n) of the path's Laplacian D - A: cosines."""
    frequency, indices = torch.arange(length).double(), torch.arange(length).double()
    vectors = torch.cos(torch.pi * frequency[None, :] * (indices[:, None] + 0.5) / length)
    return 2 - 2 * torch.cos(torch.pi * frequency / length), _fix_signs(vectors / vectors.norm(dim=0))


def _fix_signs(vectors: Tensor) -> Tensor:
    """Return eigenvectors with a positive first entry; no eigenvector of a path has a first entry of zero."""
    return vectors * torch.where(vectors[:1] < 0, -1.0, 1.0)


def grid_laplacian_eigenvectors(height: int, width: int, neighbours: int, num_vectors: int) -> Tensor:
    """Return the smoothest eigenvectors of a grid's Laplacian after the constant one, float64 (N, num_vectors).

    They are products of the eigenvectors of its rows and columns, so no matrix is larger than a side. Eigenvectors of
    equal frequency are ordered by the frequency of their rows.
    """
    if neighbours == 8:
        (row_values, rows), (column_values, columns) = normalized_path_eigh(height), normalized_path_eigh(width)
        frequency = 1 - row_values[:, None] * column_values[None, :]
    else:
        (row_values, rows), (column_values, columns) = path_laplacian_eigh(height), path_laplacian_eigh(width)
        frequency = row_values[:, None] + column_values[None, :]
    order = frequency.flatten().sort(stable=True).indices[1 : num_vectors + 1]
    vectors = rows[:, None, order // width] * columns[None, :, order % width]
    return vectors.flatten(0, 1)
