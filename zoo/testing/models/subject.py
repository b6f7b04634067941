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
from zoo.inference.runner import run_batches
from zoo.model import Model
from zoo.plugins.catalog import CATALOG
from zoo.plugins.spec import ModelSpec
from zoo.seeding import make_generator
from zoo.tasks import TASKS, Task
from zoo.tasks.generation import make_codes, one_hot
from zoo.testing.report import CheckFailure, require

__all__ = [
    "CheckFailure",
    "ModelSubject",
    "copy_state",
    "copy_weights",
    "get_random_states",
    "hash_tensors",
    "is_equal",
    "perturb_weights",
    "require",
]


@dataclass(frozen=True, kw_only=True)
class ModelSubject:
    """The model that is checked: its name and config, and how to make it and images for it."""

    name: str
    config: Mapping[str, Any]

    @property
    def spec(self) -> ModelSpec:
        """What the plugin says of the model."""
        spec: ModelSpec = CATALOG.registry("models")[self.name]
        return spec

    def make(self, seed: int = 0, **changes: Any) -> Model:
        """Return a fresh model."""
        return create(self.name, seed=seed, **{**self.config, **changes})

    def make_images(self, num: int = 12, seed: int = 0) -> Images:
        """Return random images of the model's size, each class about as often."""
        model = self.make()
        wants, classes = model.preprocessing, model.classes
        shape = (num, wants.channels, *wants.size)
        pixels = torch.randint(0, 256, shape, generator=make_generator(seed, "images"), dtype=torch.uint8)
        return Images(pixels, torch.arange(num) % len(classes), classes)

    def make_task(self, model: Model) -> Task:
        """Return the task that a model of this kind learns."""
        return TASKS[model.spec.task](model.preprocessing)

    def make_predict_input(self, num: int = 12) -> Any:
        """Return what `predict` is asked: random images to label, or how many to draw."""
        return num if self.make().spec.task == "generation" else self.make_images(num)

    def compute_outputs(self, model: Model, num: int = 12) -> Tensor:
        """Return what a model answers: logits of random images, or the images it draws of random codes."""
        if model.spec.task == "generation":
            return run_batches(model.net, self.make_task(model), self.make_net_input(num))
        return model.logits(self.make_images(num))

    def make_net_input(self, num: int = 2) -> Tensor:
        """Return random input as a net gets it: images float32 (N, C, H, W), or codes (N, Z + K) of a generator."""
        model = self.make()
        wants, net = model.preprocessing, cast(Any, model.net)
        if model.spec.task == "generation":
            labels = one_hot(torch.arange(num) % len(model.classes), net.generator)
            return make_codes(labels, net.generator, make_generator(num, "codes"))
        return torch.rand(num, wants.channels, *wants.size, generator=make_generator(num, "floats"))


def copy_weights(model: Model) -> dict[str, Tensor]:
    """Return a copy of a model's weights and buffers."""
    return copy_state(model.net)


def copy_state(net: Module) -> dict[str, Tensor]:
    """Return a copy of a net's weights and buffers."""
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def perturb_weights(net: Module) -> Module:
    """Move every weight of a net a little, so that none hides a fault by being zero, and return the net."""
    draws = make_generator(5, "weights")
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=draws))
    return net


def get_random_states() -> tuple[Any, ...]:
    """Return the global random states of Python, numpy and torch."""
    legacy = np.random.get_state()
    return random.getstate(), legacy[1].tobytes(), legacy[2:], torch.get_rng_state().numpy().tobytes()  # type: ignore[union-attr, index]


def is_equal(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    """Return whether two sets of weights are the same, bit for bit."""
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


def hash_tensors(state: Mapping[str, Tensor]) -> str:
    """Return a sha256 over tensors: equal ones, in equal order and under equal names, have equal ones."""
    found = hashlib.sha256()
    for name, tensor in state.items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
