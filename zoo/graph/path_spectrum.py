"""The path of n nodes, of which a grid is a product: its matrix, and its waves (eigenvectors)."""

from __future__ import annotations

import torch
from torch import Tensor


def path_adjacency(length: int) -> Tensor:
    """Return the adjacency of a path with self-loops: the tridiagonal matrix of ones, float64 (n, n)."""
    places = torch.arange(length)
    return ((places[:, None] - places[None, :]).abs() <= 1).double()


def normalized_path_adjacency(length: int) -> Tensor:
    """Return d^-1/2 b d^-1/2 for the path of `length` nodes with self-loops, float64 (n, n)."""
    near = path_adjacency(length)
    scale = near.sum(1).rsqrt()
    return scale[:, None] * near * scale[None, :]


def normalized_path_eigh(length: int) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (n), largest first, and eigenvectors (n, n) in columns, of the normalised path."""
    values, vectors = torch.linalg.eigh(normalized_path_adjacency(length))
    return values.flip(0), _fix_signs(vectors.flip(1))


def path_laplacian_eigh(length: int) -> tuple[Tensor, Tensor]:
    """Return eigenvalues (n), smallest first, and eigenvectors (n, n) of the path's Laplacian D - A: cosines."""
    order, places = torch.arange(length).double(), torch.arange(length).double()
    vectors = torch.cos(torch.pi * order[None, :] * (places[:, None] + 0.5) / length)
    return 2 - 2 * torch.cos(torch.pi * order / length), _fix_signs(vectors / vectors.norm(dim=0))


def _fix_signs(vectors: Tensor) -> Tensor:
    """Return eigenvectors with a positive first entry, which no eigenvector of a path has at zero."""
    return vectors * torch.where(vectors[:1] < 0, -1.0, 1.0)


def grid_laplacian_eigenvectors(height: int, width: int, neighbours: int, num_vectors: int) -> Tensor:
    """Return the `num_vectors` smoothest eigenvectors of a grid's Laplacian after the constant one, float64 (N, count).

    They are products of those of its rows and of its columns, so that no matrix is larger than a side. Waves of equal
    frequency come in the order of their rows' frequency.
    """
    if neighbours == 8:
        (tall, rows), (wide, columns) = normalized_path_eigh(height), normalized_path_eigh(width)
        frequency = 1 - tall[:, None] * wide[None, :]
    else:
        (tall, rows), (wide, columns) = path_laplacian_eigh(height), path_laplacian_eigh(width)
        frequency = tall[:, None] + wide[None, :]
    chosen = frequency.flatten().sort(stable=True).indices[1 : num_vectors + 1]
    waves = rows[:, None, chosen // width] * columns[None, :, chosen % width]
    return waves.flatten(0, 1)
