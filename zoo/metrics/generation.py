"""How far two sets of features are from each other: Frechet, kernel, precision, recall, density, coverage."""

from __future__ import annotations

import torch
from torch import Tensor

NUM_NEIGHBOURS = 5
"""The k of the nearest neighbours that make a set's outline."""


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Return the squared Frechet distance of two normal distributions fitted to features (N, D), (M, D).

    That is |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) (Heusel et al. 2017, equation 6). The trace of the root is that
    of a symmetric matrix with the same eigenvalues, which is stable where features are never active.
    """
    means, covariances = zip(*(_moments(each) for each in (first, second)), strict=True)
    root = _matrix_sqrt(covariances[0])
    cross = torch.linalg.eigvalsh(root @ covariances[1] @ root).clamp_min(0).sqrt().sum()
    apart = (means[0] - means[1]).square().sum()
    return float((apart + covariances[0].trace() + covariances[1].trace() - 2 * cross).clamp_min(0))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    features = features.double()
    return features.mean(0), torch.cov(features.T).reshape(features.shape[1], features.shape[1])


def _matrix_sqrt(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


def kernel_distance(first: Tensor, second: Tensor) -> float:
    """Return the unbiased squared maximum mean discrepancy under (x.y / D + 1)^3 (Binkowski et al. 2018, section 3).

    It is 0 on average for two sets of one distribution, and so may come out below 0.
    """
    first, second = first.double(), second.double()
    within = [_off_diagonal_mean(_cubic_kernel(each, each)) for each in (first, second)]
    return float(sum(within) - 2 * _cubic_kernel(first, second).mean())


def _cubic_kernel(first: Tensor, second: Tensor) -> Tensor:
    return (first @ second.T / first.shape[1] + 1) ** 3


def _off_diagonal_mean(matrix: Tensor) -> Tensor:
    num = len(matrix)
    return (matrix.sum() - matrix.trace()) / (num * (num - 1))


def compute_prdc(real: Tensor, generated: Tensor, num_neighbours: int = NUM_NEIGHBOURS) -> dict[str, float]:
    """Return how two sets of features (N, D), (M, D) lie in each other, by balls to the k-th nearest neighbour.

    `precision` is the share of drawn ones inside a ball of a real one, `recall` the share of real ones inside a ball of
    a drawn one (Kynkaanniemi et al. 2019). `density` counts the real balls around a drawn one, over k, and may exceed
    1; `coverage` is the share of real balls that hold a drawn one (Naeem et al. 2020), and is not misled by outliers.
    """
    radii_real, radii_drawn = _neighbour_radii(real, num_neighbours), _neighbour_radii(generated, num_neighbours)
    apart = torch.cdist(real, generated)  # (N, M)
    in_real = apart <= radii_real[:, None]
    return {
        "precision": float(in_real.any(0).double().mean()),
        "recall": float((apart <= radii_drawn[None]).any(1).double().mean()),
        "density": float(in_real.double().sum(0).mean() / num_neighbours),
        "coverage": float(in_real.any(1).double().mean()),
    }


def _neighbour_radii(features: Tensor, neighbours: int) -> Tensor:
    """Return the distance of each to its k-th nearest other."""
    return torch.cdist(features, features).kthvalue(neighbours + 1, dim=1).values
