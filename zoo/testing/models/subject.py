"""What is checked: a model by name, how to make it, and images for it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from zoo.api import create
from zoo.data import Images
from zoo.inference.runner import answers
from zoo.model import Model
from zoo.plugins.catalog import CATALOGUE
from zoo.plugins.spec import ModelSpec
from zoo.seeding import generator
from zoo.tasks import TASKS, Task
from zoo.tasks.generation import codes_for, one_hot
from zoo.testing.report import CheckFailure, require

__all__ = [
    "CheckFailure",
    "Subject",
    "digest",
    "is_equal",
    "moved",
    "require",
    "states_of_random",
    "tensors_of",
    "weights_of",
]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The model that is checked: its name and config, and how to make it and images for it."""

    name: str
    config: Mapping[str, Any]

    @property
    def spec(self) -> ModelSpec:
        """What the plugin says of the model."""
        spec: ModelSpec = CATALOGUE.shelf("models")[self.name]
        return spec

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

    def task(self, model: Model) -> Task:
        """Return the task that a model of this kind learns."""
        return TASKS[model.spec.task](model.preprocessing)

    def asked(self, num: int = 12) -> Any:
        """Return what `predict` is asked: random images to label, or how many to draw."""
        return num if self.make().spec.task == "generation" else self.images(num)

    def answers(self, model: Model, num: int = 12) -> Tensor:
        """Return what a model answers: logits of random images, or the images it draws of random codes."""
        if model.spec.task == "generation":
            return answers(model.net, self.task(model), self.floats(num))
        return model.logits(self.images(num))

    def floats(self, num: int = 2) -> Tensor:
        """Return random input as a net gets it: images float32 (N, C, H, W), or codes (N, Z + K) of a generator."""
        model = self.make()
        wants, net = model.preprocessing, cast(Any, model.net)
        if model.spec.task == "generation":
            labels = one_hot(torch.arange(num) % len(model.classes), net.generator)
            return codes_for(labels, net.generator, generator(num, "codes"))
        return torch.rand(num, wants.channels, *wants.size, generator=generator(num, "floats"))


def weights_of(model: Model) -> dict[str, Tensor]:
    """Return a copy of a model's weights and buffers."""
    return tensors_of(model.net)


def tensors_of(net: Module) -> dict[str, Tensor]:
    """Return a copy of a net's weights and buffers."""
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def moved(net: Module) -> Module:
    """Move every weight of a net a little, so that none hides a fault by being zero, and return the net."""
    draws = generator(5, "weights")
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=draws))
    return net


def states_of_random() -> tuple[Any, ...]:
    """Return the global random states of Python, numpy and torch."""
    legacy = np.random.get_state()
    return random.getstate(), legacy[1].tobytes(), legacy[2:], torch.get_rng_state().numpy().tobytes()  # type: ignore[union-attr, index]


def is_equal(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    """Return whether two sets of weights are the same, bit for bit."""
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


def digest(state: Mapping[str, Tensor]) -> str:
    """Return a sha256 over tensors: equal ones, in equal order and under equal names, have equal ones."""
    found = hashlib.sha256()
    for name, tensor in state.items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
