"""Check a model's symmetry on rotated and mirrored images. The docstring of the check is the claim that it tests."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from zoo.errors import ConfigError, join_names
from zoo.model import Model
from zoo.seeding import make_generator
from zoo.testing.models.subject import ModelSubject
from zoo.testing.report import NotApplicable, require
from zoo.testing.state import perturb_weights

EXTRA_SIDES = (4, 5, 8)
"""Sides of the squares that a model with a `size` option is checked for, besides its default size."""
SHAPE_OPTIONS = {"size", "channels", "classes"}
"""Options that do not affect the symmetry in the spec."""


def declared_symmetry_holds(subject: ModelSubject) -> None:
    """With `symmetry="D4"`, a rotated or mirrored square image gets the same logits, to 1e-5, whatever the weights."""
    if not subject.spec.symmetry:
        raise NotApplicable("it declares no symmetry")
    others = sorted(subject.config.keys() - SHAPE_OPTIONS)
    if others:
        raise NotApplicable(f"its symmetry is declared for other {join_names(others)}")
    models = list(_create_square_models(subject))
    require(bool(models), "it takes no square images", "declare no symmetry")
    for model in models:
        _check_symmetry(model)


def _create_square_models(subject: ModelSubject) -> Iterator[Model]:
    """Yield the model for its default size if that is square, and for other squares that it takes."""
    model = subject.create()
    height, width = model.preprocessing.size
    if height == width:
        yield model
    for side in EXTRA_SIDES if "size" in model.config else ():
        try:
            yield subject.create(size=(side, side))
        except ConfigError:  # a clear refusal
            continue


def _check_symmetry(model: Model) -> None:
    side, channels = model.preprocessing.size[0], model.preprocessing.channels
    images = torch.rand(4, channels, side, side, generator=make_generator(2, "turned"))
    net = perturb_weights(model.net)
    with torch.no_grad():
        expected = net(images)
        gap = max(float((net(each) - expected).abs().max()) for each in apply_symmetries(images))
    largest = float(expected.abs().max())
    problem = f"logits of rotated or mirrored {side} x {side} images differ by {gap:.2g}; the largest is {largest:.3g}"
    require(gap <= 1e-5 * max(1.0, largest), problem, "treat all directions alike, or declare no symmetry")


def apply_symmetries(images: Tensor) -> Iterator[Tensor]:
    """Yield square images (N, C, S, S) under the 8 symmetries of the square, including the identity."""
    for quarters in range(4):
        yield images.rot90(quarters, (2, 3))
        yield images.rot90(quarters, (2, 3)).flip(3)
