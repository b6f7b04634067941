"""Compare two sets of features: Frechet and kernel distance, precision, recall, density, coverage."""

from __future__ import annotations

import torch
from torch import Tensor

NUM_NEIGHBOURS = 5
"""The k of the k-th nearest neighbour, whose distance is the radius of a ball."""


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Return the squared Frechet distance of two normal distributions fitted to features (N, D), (M, D).

    That is |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) (Heusel et al. 2017, equation 6). The trace of the root is
    computed from a symmetric matrix with the same eigenvalues, which is stable where features are never active.
    """
    means, covariances = zip(*(_moments(each) for each in (first, second)), strict=True)
    root = _matrix_sqrt(covariances[0])
    cross = torch.linalg.eigvalsh(root @ covariances[1] @ root).clamp_min(0).sqrt().sum()
    mean_gap = (means[0] - means[1]).square().sum()
    return float((mean_gap + covariances[0].trace() + covariances[1].trace() - 2 * cross).clamp_min(0))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    features = features.double()
    return features.mean(0), torch.cov(features.T).reshape(features.shape[1], features.shape[1])


def _matrix_sqrt(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


def kernel_distance(first: Tensor, second: Tensor) -> float:
    """Return the unbiased squared maximum mean discrepancy under (x.y / D + 1)^3 (Binkowski et al. 2018, section 3).

    Its mean is 0 for two sets of one distribution, so it may be below 0.
    """
    first, second = first.double(), second.double()
    self_similarity = [_off_diagonal_mean(_cubic_kernel(each, each)) for each in (first, second)]
    return float(sum(self_similarity) - 2 * _cubic_kernel(first, second).mean())


def _cubic_kernel(first: Tensor, second: Tensor) -> Tensor:
    return (first @ second.T / first.shape[1] + 1) ** 3


def _off_diagonal_mean(matrix: Tensor) -> Tensor:
    size = len(matrix)
    return (matrix.sum() - matrix.trace()) / (size * (size - 1))


def compute_prdc(real: Tensor, generated: Tensor, num_neighbours: int = NUM_NEIGHBOURS) -> dict[str, float]:
    """Return precision, recall, density and coverage of generated features (M, D) against real ones (N, D).

    Each feature has a ball whose radius is the distance to its k-th nearest neighbour in its own set. `precision` is
    the fraction of generated features inside the ball of a real one, `recall` the fraction of real features inside the
    ball of a generated one (Kynkaanniemi et al. 2019). `density` is the number of real balls around a generated
    feature, divided by k, and may exceed 1. `coverage` is the fraction of real balls with a generated feature inside
    (Naeem et al. 2020); outliers do not distort it.
    """
    real_radii, generated_radii = _neighbour_radii(real, num_neighbours), _neighbour_radii(generated, num_neighbours)
    distances = torch.cdist(real, generated)  # (N, M)
    in_real_ball = distances <= real_radii[:, None]
    return {
        "precision": float(in_real_ball.any(0).double().mean()),
        "recall": float((distances <= generated_radii[None]).any(1).double().mean()),
        "density": float(in_real_ball.double().sum(0).mean() / num_neighbours),
        "coverage": float(in_real_ball.any(1).double().mean()),
    }


def _neighbour_radii(features: Tensor, neighbours: int) -> Tensor:
    """Return the distance of each feature to its k-th nearest neighbour, itself not counted."""
    return torch.cdist(features, features).kthvalue(neighbours + 1, dim=1).values
