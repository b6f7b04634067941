"""What watches training: objects with two methods, `on_step` and `on_epoch`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor
from torch.nn import Module
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from zoo.errors import ConfigError, join_names
from zoo.history import is_lower_better
from zoo.recipe import Recipe
from zoo.training.module_state import copy_into, get_tensors


@dataclass(kw_only=True)
class Training:
    """What callbacks see. Set `stop` to a reason to end training after the running step.

    Args:
        recipe: How the model is trained.
        nets: The players' modules by name.
        scored: The modules that are scored and kept: the averages when `recipe.ema` is on, else `nets`.
        steps: Batches an epoch.
        epoch: The running epoch, from 1.
        step: Batches done in the running epoch.
        images: Images seen in the running epoch.
        skipped: Batches left out in the running epoch, since their loss was not finite.
        earlier: Epochs in the history from before this training.
        row: The running epoch's row of the history; complete when `on_epoch` is called.
        stop: Why training ends, or empty.
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
    """Anything with these two methods; hand it to `fit(callbacks=[...])`.

    One that remembers something over steps also has `state_dict()` and `load_state_dict(state)`, so that a checkpoint
    keeps it: numbers, text, tensors, and lists and dicts of them.
    """

    def on_step(self, training: Training) -> None:
        """Hear that a batch is done."""

    def on_epoch(self, training: Training) -> None:
        """Hear that an epoch is done and `training.row` is complete."""


class Average:
    """Exponential moving average of the weights and buffers (Polyak and Juditsky 1992; EMA as in Tan and Le 2019)."""

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
        """Return the averages."""
        return {name: get_tensors(average) for name, average in self._averages.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what `state_dict` returned."""
        for name, average in self._averages.items():
            copy_into(average, state[name])

    def on_step(self, training: Training) -> None:
        """Move the average towards the present weights."""
        for name, average in self._averages.items():
            average.update_parameters(self._sources[name])

    def on_epoch(self, training: Training) -> None:
        """Nothing to do."""

    def restore(self, nets: Mapping[str, Module]) -> None:
        """Load the averages into the players."""
        for name, averaged in self.nets.items():
            nets[name].load_state_dict(averaged.state_dict())


class Best:
    """Keep a copy of the weights of the best epoch, and stop when none has been better for `patience` epochs."""

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Best | None:
        """Return what a recipe's `keep`, `monitor` and `patience` ask for."""
        return cls(recipe.monitor, recipe.patience) if recipe.keep == "best" or recipe.patience else None

    def __init__(self, monitor: str, patience: int | None = None) -> None:
        self._monitor = monitor
        self._patience = patience
        self._sign = 1 if is_lower_better(monitor) else -1
        self._value = float("inf")
        self._epoch = 0
        self._weights: dict[str, dict[str, Tensor]] = {}

    def on_step(self, training: Training) -> None:
        """Nothing to do."""

    def on_epoch(self, training: Training) -> None:
        """Copy the weights if this epoch is the best so far.

        Raises:
            ConfigError: The history has no such column.
        """
        if self._monitor not in training.row:
            mend = "; give fit a validation set or share" if self._monitor.startswith("val_") else ""
            raise ConfigError(
                f"monitor {self._monitor!r} is no column of the history ({join_names(training.row)}){mend}"
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
        """Return the best epoch with its weights."""
        return {"value": self._value, "epoch": self._epoch, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what `state_dict` returned."""
        self._value, self._epoch, self._weights = state["value"], state["epoch"], state["weights"]

    def restore(self, nets: Mapping[str, Module]) -> None:
        """Load the best weights."""
        for name, weights in self._weights.items():
            nets[name].load_state_dict(weights)


def _copy_state(net: Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


class TimeLimit:
    """Stop after so many seconds, counted from when this is made."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def state_dict(self) -> dict[str, Any]:
        """Return how many seconds are left."""
        return {"left": self._end - time.monotonic()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the seconds that were left."""
        self._end = time.monotonic() + state["left"]

    def on_step(self, training: Training) -> None:
        """Stop if the time is up."""
        if time.monotonic() >= self._end:
            training.stop = f"the time limit of {self._seconds:g} s is reached"

    def on_epoch(self, training: Training) -> None:
        """Nothing to do."""
