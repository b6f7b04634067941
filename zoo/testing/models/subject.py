"""Define a model under test: how to create it, input for it, and the checks of its task.

`ModelSubject` is what every check takes; each task has a final subclass of it, and a `TaskKit` with its own checks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.api import create
from zoo.data import Images
from zoo.model import Model
from zoo.plugins.catalog import CATALOG
from zoo.plugins.spec import ModelSpec
from zoo.seeding import make_generator
from zoo.tasks import TASKS, Task


@dataclass(frozen=True, kw_only=True)
class ModelSubject(ABC):
    """A model under test.

    Args:
        name: Name in `zoo.models`.
        config: Options to create it with.
    """

    name: str
    config: Mapping[str, Any]

    @property
    def spec(self) -> ModelSpec:
        """The spec that the plugin offers."""
        spec: ModelSpec = CATALOG.registry("models")[self.name]
        return spec

    def create(self, seed: int = 0, **changes: Any) -> Model:
        """Return a new model."""
        return create(self.name, seed=seed, **{**self.config, **changes})

    def build_net(self, seed: int = 0, **changes: Any) -> Module:
        """Return the net of a new model."""
        return self.create(seed, **changes).net

    def make_images(self, num: int = 12, seed: int = 0) -> Images:
        """Return random images of the model's size, with the same number of images for each class where possible."""
        model = self.create()
        preprocessing, classes = model.preprocessing, model.classes
        shape = (num, preprocessing.channels, *preprocessing.size)
        pixels = torch.randint(0, 256, shape, generator=make_generator(seed, "images"), dtype=torch.uint8)
        return Images(pixels, torch.arange(num) % len(classes), classes)

    def make_task(self, model: Model) -> Task:
        """Return the task that the model is trained on."""
        return TASKS[model.spec.task](model.preprocessing)

    @abstractmethod
    def make_net_input(self, num: int = 2) -> Tensor:
        """Return a random batch as `forward` takes it."""

    @abstractmethod
    def compute_outputs(self, model: Model, num: int = 12) -> Tensor:
        """Return a model's output for the same random input each time."""

    @abstractmethod
    def prepare_use(self) -> Callable[[], object]:
        """Return a function that creates, runs, saves and loads the model."""


Check = Callable[[Any], None]


@dataclass(frozen=True, kw_only=True)
class TaskKit:
    """How models of one task are tested.

    Args:
        subject: Class of the subject.
        forward_checks: Checks of outputs, in the order they run.
        training_checks: Checks of training, in the order they run.
    """

    subject: type[ModelSubject]
    forward_checks: tuple[Check, ...]
    training_checks: tuple[Check, ...]
