"""The check of a model's symmetry: square images that are turned or mirrored."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from zoo.errors import ConfigError, join_names
from zoo.model import Model
from zoo.seeding import make_generator
from zoo.testing.models.subject import ModelSubject, perturb_weights
from zoo.testing.report import NotApplicable, require

EXTRA_SIDES = (4, 5, 8)
"""Squares that a model whose size can vary is tried at, beside its own."""
SHAPE_OPTIONS = {"size", "channels", "classes"}
"""Options that leave what a spec declares as it is."""


def declared_symmetry_holds(subject: ModelSubject) -> None:
    """With `symmetry="D4"`, a turned or mirrored square image gets the same logits, to 1e-5, whatever the weights."""
    if not subject.spec.symmetry:
        raise NotApplicable("it declares no symmetry")
    others = sorted(subject.config.keys() - SHAPE_OPTIONS)
    if others:
        raise NotApplicable(f"its symmetry is declared for other {join_names(others)}")
    models = list(_make_square_models(subject))
    require(bool(models), "it takes no square images", "declare no symmetry")
    for model in models:
        _check_symmetry(model)


def _make_square_models(subject: ModelSubject) -> Iterator[Model]:
    """Yield the model for its own size if that is square, and for other squares that it takes."""
    own = subject.make()
    height, width = own.preprocessing.size
    if height == width:
        yield own
    for side in EXTRA_SIDES if "size" in own.config else ():
        try:
            yield subject.make(size=(side, side))
        except ConfigError:  # a clear refusal
            continue


def _check_symmetry(model: Model) -> None:
    side, channels = model.preprocessing.size[0], model.preprocessing.channels
    images = torch.rand(4, channels, side, side, generator=make_generator(2, "turned"))
    net, mend = perturb_weights(model.net), "treat all directions alike, or declare no symmetry"
    with torch.no_grad():
        expected = net(images)
        gap = max(float((net(each) - expected).abs().max()) for each in apply_symmetries(images))
    largest = float(expected.abs().max())
    told = f"logits of turned or mirrored {side} x {side} images differ by {gap:.2g}, where they go to {largest:.3g}"
    require(gap <= 1e-5 * max(1.0, largest), told, mend)


def apply_symmetries(images: Tensor) -> Iterator[Tensor]:
    """Yield square images (N, C, S, S) under the 8 symmetries of the square, as they are among them."""
    for quarters in range(4):
        yield images.rot90(quarters, (2, 3))
        yield images.rot90(quarters, (2, 3)).flip(3)
