"""Scores of features equal the definitions of their papers, and are 0 and 1 where they must be."""

import pytest
import torch
from scipy.linalg import sqrtm

from zoo.metrics.generation import compute_prdc, frechet_distance, kernel_distance


def random_features(num, seed, *, shift=0.0, scale=1.0, width=6):
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=torch.Generator().manual_seed(9))
    return scale * torch.randn(num, width, generator=generator) @ mixing + shift


def test_the_frechet_distance_is_that_of_the_matrix_square_root():
    first, second = random_features(200, 0).double(), random_features(300, 1, shift=0.5, scale=2.0).double()
    c1, c2 = (torch.cov(each.T).numpy() for each in (first, second))
    mean_gap = (first.mean(0) - second.mean(0)).square().sum().item()
    expected = mean_gap + c1.trace() + c2.trace() - 2 * sqrtm(c1 @ c2).real.trace()
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)


def test_the_distance_of_a_set_to_itself_is_zero_even_where_a_feature_is_never_active():
    same = random_features(100, 0)
    same[:, 2] = 0.0
    assert frechet_distance(same, same) == pytest.approx(0, abs=1e-5)


def test_the_distance_of_shifted_sets_is_the_square_of_the_shift():
    first = random_features(100, 0)
    assert frechet_distance(first, first + 3.0) == pytest.approx(6 * 9.0, rel=1e-4)


def test_the_kernel_distance_is_the_unbiased_estimate():
    first, second = random_features(7, 0, width=3), random_features(5, 1, width=3, shift=1.0)

    def mean_similarity(first, second, *, same):
        terms = [
            float((first[i].double() @ second[j].double() / 3 + 1) ** 3)
            for i in range(len(first))
            for j in range(len(second))
            if not (same and i == j)
        ]
        return sum(terms) / len(terms)

    within = mean_similarity(first, first, same=True) + mean_similarity(second, second, same=True)
    assert kernel_distance(first, second) == pytest.approx(within - 2 * mean_similarity(first, second, same=False))


def test_precision_and_recall_of_one_cloud_and_of_two_far_apart():
    first, second = random_features(300, 0), random_features(300, 1)
    near, far = compute_prdc(first, second), compute_prdc(first, second + 100.0)
    assert min(near["precision"], near["recall"], near["coverage"]) > 0.8
    assert near["density"] == pytest.approx(1, abs=0.25)
    assert far == {"precision": 0.0, "recall": 0.0, "density": 0.0, "coverage": 0.0}


def test_a_generator_of_one_good_image_has_precision_and_no_coverage():
    real = random_features(300, 0)
    one = real[:1] + 1e-3 * random_features(100, 3)
    scores = compute_prdc(real, one)
    assert scores["precision"] == 1.0
    assert scores["coverage"] < 0.1
    assert scores["recall"] < 0.1


def test_density_and_coverage_by_hand():
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])  # balls of radius 1, 1, 1 and 8
    scores = compute_prdc(real, torch.tensor([[0.5], [20.0]]), num_neighbours=1)
    assert scores["density"] == pytest.approx((2 + 0) / 2 / 1)
    assert scores["coverage"] == pytest.approx(2 / 4)
    assert scores["precision"] == 0.5
