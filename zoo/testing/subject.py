"""What is checked: a model by name, how to make it, and images for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zoo.api import create
from zoo.data import Images
from zoo.model import Model
from zoo.randomness import generator


class CheckFailure(AssertionError):
    """A check that did not hold; the message says which, what was found, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The model that is checked: its name and config, and how to make it and images for it."""

    name: str
    config: Mapping[str, Any]

    def make(self, seed: int = 0, **changes: Any) -> Model:
        """Return a fresh model."""
        return create(self.name, seed=seed, **{**self.config, **changes})

    def images(self, num: int = 12, seed: int = 0) -> Images:
        """Return random images of the model's size, each class about as often."""
        model = self.make()
        wants, classes = model.preprocessing, model.classes
        shape = (num, wants.channels, *wants.size)
        pixels = torch.randint(0, 256, shape, generator=generator(seed, "images"), dtype=torch.uint8)
        return Images(pixels, torch.arange(num) % len(classes), classes)


def require(holds: bool, message: str) -> None:
    """Raise a `CheckFailure` unless something holds."""
    if not holds:
        raise CheckFailure(message)


def weights_of(model: Model) -> dict[str, Tensor]:
    """Return a copy of a model's weights and buffers."""
    return {name: tensor.clone() for name, tensor in model.net.state_dict().items()}


def is_equal(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    """Return whether two sets of weights are the same, bit for bit."""
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)
