"""Callbacks: objects with two methods, `on_step` and `on_epoch`, that the training loop calls.

Each call gets the one `Training` of the run. Three callbacks belong to zoo: `Average` and `Best` keep weights, and
`TimeLimit` ends training. Checkpoints store their class names, so these three keep their names.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor
from torch.nn import Module
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from zoo.errors import ConfigError, join_names
from zoo.recipe import Recipe
from zoo.saving.history import is_lower_better
from zoo.training.module_state import copy_into, get_tensors


@dataclass(kw_only=True)
class Training:
    """The state of a training as callbacks see it. Set `stop` to a reason to end training after the current step.

    Args:
        recipe: How the model is trained.
        nets: The players' modules by name.
        scored: The modules that are scored and kept: the averages if `recipe.ema` is on, else the players' modules.
        steps: Batches in an epoch.
        epoch: The current epoch, counted from 1 over all trainings of the model.
        step: Batches finished in the current epoch.
        images: Images trained on in the current epoch.
        skipped: Batches of the current epoch that were left out because their loss was not finite.
        earlier: Epochs in the history before this training.
        row: The current epoch's row of the history; complete when `on_epoch` is called.
        stop: The reason to end training, or empty.
    """

    recipe: Recipe
    nets: Mapping[str, Module]
    scored: Mapping[str, Module]
    steps: int
    epoch: int = 0
    step: int = 0
    images: int = 0
    skipped: int = 0
    earlier: int = 0
    row: dict[str, Any] = field(default_factory=dict)
    stop: str = ""


class Callback(Protocol):
    """Any object with these two methods; pass it to `fit(callbacks=[...])`.

    A callback with a state of its own also has `state_dict()` and `load_state_dict(state)`, so that checkpoints keep
    the state: numbers, text, tensors, and lists and dicts of them.
    """

    def on_step(self, training: Training) -> None:
        """Run after each step."""

    def on_epoch(self, training: Training) -> None:
        """Run after each epoch, when `training.row` is complete."""


class Average:
    """Keep an exponential moving average of weights and buffers (Polyak and Juditsky 1992; EMA as in Tan and Le 2019).

    Args:
        nets: The players' modules by name.
        decay: Weight of the old average at each step, in (0, 1).
    """

    def __init__(self, nets: Mapping[str, Module], decay: float) -> None:
        average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self._sources = dict(nets)
        self._averages = {
            name: AveragedModel(net, multi_avg_fn=average, use_buffers=True) for name, net in nets.items()
        }

    @property
    def nets(self) -> dict[str, Module]:
        """The averaged modules by player."""
        return {name: average.module for name, average in self._averages.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the averaged weights and buffers by player."""
        return {name: get_tensors(average) for name, average in self._averages.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        for name, average in self._averages.items():
            copy_into(average, state[name])

    def on_step(self, training: Training) -> None:
        """Move the average towards the current weights."""
        for name, average in self._averages.items():
            average.update_parameters(self._sources[name])

    def on_epoch(self, training: Training) -> None:
        """Do nothing."""

    def restore(self, nets: Mapping[str, Module]) -> None:
        """Load the averages into the players."""
        for name, averaged in self.nets.items():
            nets[name].load_state_dict(averaged.state_dict())


class Best:
    """Keep a copy of the weights of the best epoch, and stop after `patience` epochs without a better one.

    Args:
        monitor: The column of the history to compare.
        patience: Epochs to wait for a better value; None never stops.
    """

    def __init__(self, monitor: str, patience: int | None = None) -> None:
        self._monitor = monitor
        self._patience = patience
        self._sign = 1 if is_lower_better(monitor) else -1
        self._value = float("inf")
        self._epoch = 0
        self._weights: dict[str, dict[str, Tensor]] = {}

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Best | None:
        """Return the callback for a recipe's `keep`, `monitor` and `patience`, or None if neither needs it."""
        return cls(recipe.monitor, recipe.patience) if recipe.keep == "best" or recipe.patience else None

    def on_step(self, training: Training) -> None:
        """Do nothing."""

    def on_epoch(self, training: Training) -> None:
        """Copy the weights if this epoch is the best so far.

        Raises:
            ConfigError: The history does not have the monitored column.
        """
        if self._monitor not in training.row:
            advice = "; give fit a validation set or fraction" if self._monitor.startswith("val_") else ""
            raise ConfigError(
                f"monitor {self._monitor!r} is not a column of the history ({join_names(training.row)}){advice}"
            )
        value = self._sign * training.row[self._monitor]
        if value < self._value:
            self._value, self._epoch = value, training.epoch
            self._weights = {name: _copy_state(net) for name, net in training.scored.items()}
        elif self._patience is not None and training.epoch - self._epoch >= self._patience:
            training.stop = (
                f"no better {self._monitor} for {self._patience} epochs; the weights are those of epoch {self._epoch}"
            )

    def state_dict(self) -> dict[str, Any]:
        """Return the best epoch, its value and its weights."""
        return {"value": self._value, "epoch": self._epoch, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._value, self._epoch, self._weights = state["value"], state["epoch"], state["weights"]

    def restore(self, nets: Mapping[str, Module]) -> None:
        """Load the best weights into the players."""
        for name, weights in self._weights.items():
            nets[name].load_state_dict(weights)


def _copy_state(net: Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


class TimeLimit:
    """Stop training after a number of seconds, counted from when this object is created.

    Args:
        seconds: Seconds to train.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds that are left."""
        return {"left": self._end - time.monotonic()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restart the clock with the seconds that were left."""
        self._end = time.monotonic() + state["left"]

    def on_step(self, training: Training) -> None:
        """Stop if the time is up."""
        if time.monotonic() >= self._end:
            training.stop = f"the time limit of {self._seconds:g} s is reached"

    def on_epoch(self, training: Training) -> None:
        """Do nothing."""
