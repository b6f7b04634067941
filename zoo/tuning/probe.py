"""Train a copy of a model for a few steps; the model and all random states stay unchanged."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch.nn import Module

from zoo.data import Batch, ExternalLoader, Loader
from zoo.device import resolve_device
from zoo.errors import ConfigError
from zoo.model import Model
from zoo.recipe import Recipe
from zoo.seeding import use_seed
from zoo.tasks import Task
from zoo.training.session import prepare_training


def check_integer(name: str, number: Any, *, minimum: int) -> None:
    """Check that an argument is an integer of at least `minimum`.

    Raises:
        ConfigError: It is not.
    """
    if not isinstance(number, int) or isinstance(number, bool) or number < minimum:
        raise ConfigError(f"{name} is an integer of at least {minimum}, not {number!r}")


@contextmanager
def open_probe(model: Model, data: Any, recipe: Recipe, device: str | None) -> Iterator[Probe]:
    """Yield a copy of a model that takes steps, with random states of its own.

    Raises:
        ConfigError: The model's task trains several nets, such as a generator and a discriminator.
    """
    target = resolve_device(device)
    with use_seed(model.seed, target):
        prepared, task = prepare_training(model, data, None, recipe=recipe, seed=model.seed, device=target)
        if len(task.players(model.net)) > 1:
            raise ConfigError(
                f"{model.spec.name} trains several nets with an optimizer each; the search tunes only one"
            )
        yield Probe(net=copy.deepcopy(model.net).to(target).train(), task=task, train=prepared.train, device=target)


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A copy of a net, with what it needs to take training steps.

    Args:
        net: The copy, in training mode.
        task: The loss that it is trained with.
        train: The source of batches.
        device: The device of the net and the batches.
    """

    net: Module
    task: Task
    train: Loader | ExternalLoader
    device: torch.device

    def batches(self) -> Iterator[Batch]:
        """Yield batches on the device, epoch after epoch without end."""
        for epoch in count():
            for batch in self.train.iter_epoch(epoch):
                yield Batch(*(tensor.to(self.device) for tensor in batch))

    def step(self, batch: Batch, optimizer: torch.optim.Optimizer, lr: float) -> float:
        """Take one step at a learning rate; return the loss before it."""
        for group in optimizer.param_groups:
            group["lr"] = lr
        (loss,) = self.task.losses(self.task.players(self.net), batch)
        optimizer.zero_grad(set_to_none=True)
        loss.value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return float(loss.value.detach())
