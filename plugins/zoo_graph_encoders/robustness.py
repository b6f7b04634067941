"""Measure the robustness of classifiers of 7 x 7 images: rotated training images, and scores on changed ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from zoo import Dataset, Images, Model
from zoo.seeding import make_generator
from zoo_graph_encoders.warps import Homography, apply_change, perspective, rotate_randomly, rotation, scale, shear

SIZE = (7, 7)
NUM_COPIES = 5
"""Number of copies of each training image in the rotated set, each with another angle."""
CHANGES: dict[str, tuple[Homography, tuple[float, ...]]] = {
    "rotation": (rotation, tuple(range(0, 181, 15))),
    "perspective": (perspective, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "shear": (shear, (10, 20, 30, 40)),
    "scale": (scale, (0.7, 0.8, 0.9, 1.1, 1.2, 1.3)),
}


@lru_cache(maxsize=2)
def _make_rotated_copies(dataset: Dataset, seed: int, copies: int) -> Images:
    generator = make_generator(seed, "turned")
    parts = [rotate_randomly(dataset.train, generator, SIZE) for _ in range(copies)]
    pixels, labels = (torch.cat([getattr(part, name) for part in parts]) for name in ("images", "labels"))
    return Images(pixels, labels, dataset.train.classes, name=f"{dataset.train.name}, turned {copies} times")


def turned_training(dataset: Dataset, *, seed: int, quick: bool) -> Images:
    """Return several copies of the training images, rotated by random angles at 28 x 28 and sampled to 7 x 7."""
    return _make_rotated_copies(dataset, seed, 1 if quick else NUM_COPIES)


@lru_cache(maxsize=1)
def _make_changed_sets(dataset: Dataset) -> dict[str, dict[float, Images]]:
    """Return the test images at 7 x 7 under every change at every strength, the same for all models and seeds."""
    directions = torch.empty(len(dataset.test)).uniform_(-math.pi, math.pi, generator=make_generator(0, "directions"))
    return {
        name: {strength: apply_change(dataset.test, change, strength, directions, SIZE) for strength in strengths}
        for name, (change, strengths) in CHANGES.items()
    }


def scores(model: Model, dataset: Dataset, *, seed: int, quick: bool) -> Mapping[str, float | Tensor]:
    """Return the accuracy at every strength of every change, and means over the strengths.

    `rotation@15` is the accuracy at 15 degrees. `rotation` is the mean over a uniform angle, in which 0 and 180 degrees
    have half the weight. `rotation kept` is that mean divided by the accuracy on unchanged images, and `rotation
    agreement` the share of predictions that equal the one for the unchanged image. The tensor `rotation right` is for
    each image the sum of the weights of the strengths at which its class is predicted.
    """
    metrics: dict[str, float | Tensor] = {}
    plain = _predict_classes(model, dataset.test)
    clean = float((plain == dataset.test.labels).double().mean())
    for name, by_strength in _make_changed_sets(dataset).items():
        answers = torch.stack([_predict_classes(model, images) for images in by_strength.values()])  # (strengths, N)
        right = answers == dataset.test.labels
        weights = torch.tensor(get_strength_weights(name), dtype=torch.float64)
        shares = right.double().mean(1).tolist()
        metrics |= {f"{name}@{strength:g}": share for strength, share in zip(by_strength, shares, strict=True)}
        metrics[name] = _weighted_mean(right, weights)
        metrics[f"{name} kept"] = _weighted_mean(right, weights) / max(clean, 1e-9)
        metrics[f"{name} agreement"] = _weighted_mean(answers == plain, weights)
        metrics[f"{name} right"] = (weights @ right.double()).to(torch.uint8)
    return metrics


def _predict_classes(model: Model, images: Images) -> Tensor:
    return model.logits(images).argmax(1)


def get_strength_weights(name: str) -> tuple[int, ...]:
    """Return the weight of each strength of a change. The angles 0 and 180 degrees have half the weight of others."""
    strengths = CHANGES[name][1]
    return tuple(1 if name == "rotation" and each in (0, 180) else 2 if name == "rotation" else 1 for each in strengths)


def _weighted_mean(values: Tensor, weights: Tensor) -> float:
    """Return the mean of booleans (strengths, N), weighted by strength."""
    return float((weights @ values.double()).mean() / weights.sum())
