"""What classifiers of 7 x 7 images bear: images to train on, and scores under changes they were not made for."""

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
"""How often each training image stands in the turned set, each time at another angle."""
CHANGES: dict[str, tuple[Homography, tuple[float, ...]]] = {
    "rotation": (rotation, tuple(range(0, 181, 15))),
    "perspective": (perspective, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "shear": (shear, (10, 20, 30, 40)),
    "scale": (scale, (0.7, 0.8, 0.9, 1.1, 1.2, 1.3)),
}


@lru_cache(maxsize=2)
def _make_rotated_copies(dataset: Dataset, seed: int, copies: int) -> Images:
    draws = make_generator(seed, "turned")
    parts = [rotate_randomly(dataset.train, draws, SIZE) for _ in range(copies)]
    pixels, labels = (torch.cat([getattr(part, name) for part in parts]) for name in ("images", "labels"))
    return Images(pixels, labels, dataset.train.classes, name=f"{dataset.train.name}, turned {copies} times")


def turned_training(dataset: Dataset, *, seed: int, quick: bool) -> Images:
    """Return the training images at 7 x 7, each several times at angles of its own: turned at 28 x 28, then sampled."""
    return _make_rotated_copies(dataset, seed, 1 if quick else NUM_COPIES)


@lru_cache(maxsize=1)
def _make_changed_sets(dataset: Dataset) -> dict[str, dict[float, Images]]:
    """Return the test images at 7 x 7 under every change at every strength; the same for every model and seed."""
    directions = torch.empty(len(dataset.test)).uniform_(-math.pi, math.pi, generator=make_generator(0, "directions"))
    return {
        name: {strength: apply_change(dataset.test, change, strength, directions, SIZE) for strength in strengths}
        for name, (change, strengths) in CHANGES.items()
    }


def scores(model: Model, dataset: Dataset, *, seed: int, quick: bool) -> Mapping[str, float | Tensor]:
    """Return accuracy at every strength of every change, and means over the strengths.

    `rotation@15` is the accuracy at 15 degrees. `rotation` is the mean over a uniform angle: 0 and 180 degrees count
    half. `rotation kept` is that mean over the accuracy on unchanged images, and `rotation agreement` how often the
    answer is that to the unchanged image. The tensors count for each image how many strengths were answered rightly.
    """
    found: dict[str, float | Tensor] = {}
    plain = _predict_classes(model, dataset.test)
    clean = float((plain == dataset.test.labels).double().mean())
    for name, by_strength in _make_changed_sets(dataset).items():
        answers = torch.stack([_predict_classes(model, images) for images in by_strength.values()])  # (strengths, N)
        right = answers == dataset.test.labels
        weights = torch.tensor(get_strength_weights(name), dtype=torch.float64)
        shares = right.double().mean(1).tolist()
        found |= {f"{name}@{strength:g}": share for strength, share in zip(by_strength, shares, strict=True)}
        found[name] = _weighted_mean(right, weights)
        found[f"{name} kept"] = _weighted_mean(right, weights) / max(clean, 1e-9)
        found[f"{name} agreement"] = _weighted_mean(answers == plain, weights)
        found[f"{name} right"] = (weights @ right.double()).to(torch.uint8)
    return found


def _predict_classes(model: Model, images: Images) -> Tensor:
    return model.logits(images).argmax(1)


def get_strength_weights(name: str) -> tuple[int, ...]:
    """Return how much each strength of a change counts: of the angles 0 and 180 degrees half as much as the others."""
    strengths = CHANGES[name][1]
    return tuple(1 if name == "rotation" and each in (0, 180) else 2 if name == "rotation" else 1 for each in strengths)


def _weighted_mean(claims: Tensor, weights: Tensor) -> float:
    """Return the mean of claims (strengths, N), the strengths weighed."""
    return float((weights @ claims.double()).mean() / weights.sum())
