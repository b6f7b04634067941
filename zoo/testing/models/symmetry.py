"""The check of a model's symmetry: square images that are turned or mirrored."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from zoo.errors import ConfigError, listed
from zoo.model import Model
from zoo.seeding import generator
from zoo.testing.models.subject import Subject, moved
from zoo.testing.report import NotApplicable, require

SIDES = (4, 5, 8)
"""Squares that a model whose size can vary is tried at, beside its own."""
EXTENT = {"size", "channels", "classes"}
"""Options that leave what a spec declares as it is."""


def declared_symmetry_holds(subject: Subject) -> None:
    """With `symmetry="D4"`, a turned or mirrored square image gets the same logits, to 1e-5, whatever the weights."""
    if not subject.spec.symmetry:
        raise NotApplicable("it declares no symmetry")
    others = sorted(subject.config.keys() - EXTENT)
    if others:
        raise NotApplicable(f"its symmetry is declared for other {listed(others)}")
    models = list(_squares(subject))
    require(bool(models), "it takes no square images", "declare no symmetry")
    for model in models:
        _check_turned(model)


def _squares(subject: Subject) -> Iterator[Model]:
    """Yield the model for its own size if that is square, and for other squares that it takes."""
    own = subject.make()
    height, width = own.preprocessing.size
    if height == width:
        yield own
    for side in SIDES if "size" in own.config else ():
        try:
            yield subject.make(size=(side, side))
        except ConfigError:  # a clear refusal
            continue


def _check_turned(model: Model) -> None:
    side, channels = model.preprocessing.size[0], model.preprocessing.channels
    images = torch.rand(4, channels, side, side, generator=generator(2, "turned"))
    net, mend = moved(model.net), "treat all directions alike, or declare no symmetry"
    with torch.no_grad():
        expected = net(images)
        gap = max(float((net(each) - expected).abs().max()) for each in turned(images))
    largest = float(expected.abs().max())
    told = f"logits of turned or mirrored {side} x {side} images differ by {gap:.2g}, where they go to {largest:.3g}"
    require(gap <= 1e-5 * max(1.0, largest), told, mend)


def turned(images: Tensor) -> Iterator[Tensor]:
    """Yield square images (N, C, S, S) under the 8 symmetries of the square, as they are among them."""
    for quarters in range(4):
        yield images.rot90(quarters, (2, 3))
        yield images.rot90(quarters, (2, 3)).flip(3)
