"""A copy of a model that takes steps: the model and all random states stay as they were."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch.nn import Module

from zoo.data import Batch, ExternalLoader, Loader
from zoo.errors import ConfigError
from zoo.inference.runner import resolve_device
from zoo.model import Model
from zoo.recipe import Recipe
from zoo.seeding import use_seed
from zoo.tasks import Task
from zoo.training import fitting


def resolve_recipe(model: Model, recipe: Recipe | str | None, changes: Mapping[str, Any]) -> Recipe:
    """Return a recipe, or the one of the model's that is named, with some fields changed."""
    chosen = recipe if isinstance(recipe, Recipe) else model.spec.get_recipe(recipe)
    return chosen.replace(**changes)


@contextmanager
def open_probe(model: Model, data: Any, recipe: Recipe, device: str | None) -> Iterator[Probe]:
    """Yield a copy of a model that takes steps, with random states of its own."""
    place = resolve_device(device)
    with use_seed(model.seed, place):
        ready = fitting.prepare(
            data,
            None,
            spec=model.spec,
            preprocessing=model.preprocessing,
            classes=model.classes,
            fresh=not model.history,
            standardize=model.spec.standardize and not model.history and not model.base,
            recipe=recipe,
            seed=model.seed,
            device=place,
        )
        if model.spec.task != "classification":
            raise ConfigError(f"{model.spec.name} has several players with an optimizer each; this searches for one")
        yield Probe(net=copy.deepcopy(model.net).to(place).train(), task=ready.task, train=ready.train, device=place)


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A net to try something on.

    Args:
        net: The copy.
        task: What it learns.
        train: Where batches come from.
        device: Where it trains.
    """

    net: Module
    task: Task
    train: Loader | ExternalLoader
    device: torch.device

    def batches(self) -> Iterator[Batch]:
        """Yield batches, epoch after epoch."""
        for epoch in count():
            for batch in self.train.iter_epoch(epoch):
                yield Batch(*(tensor.to(self.device) for tensor in batch))

    def step(self, batch: Batch, optimizer: torch.optim.Optimizer, lr: float) -> float:
        """Take one step at a rate; return the loss before it."""
        for group in optimizer.param_groups:
            group["lr"] = lr
        (loss,) = self.task.losses(self.task.players(self.net), batch)
        optimizer.zero_grad(set_to_none=True)
        loss.value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return float(loss.value.detach())
