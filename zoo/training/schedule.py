"""Compute the learning rate of each step from the recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from zoo.errors import ConfigError, join_names
from zoo.recipe import Recipe
from zoo.saving.history import is_lower_better

ONE_CYCLE_RISE, ONE_CYCLE_START, ONE_CYCLE_END = 0.3, 1 / 25, 1e-4
"""Fraction of the steps with a rising rate, and the first and last factor of the `one-cycle` schedule (Smith 2018)."""


def lr_factor(recipe: Recipe, epoch: float) -> float:
    """Return the factor of the learning rate `epoch` epochs after the start; fractions of an epoch count.

    `plateau` depends on the scores and not on time: see `Schedule.update_plateau`.
    """
    if epoch < recipe.warmup:
        return epoch / recipe.warmup
    span = max(recipe.epochs - recipe.warmup, 1e-9)
    fraction = min((epoch - recipe.warmup) / span, 1.0)
    if recipe.schedule == "step":
        return math.pow(recipe.gamma, (epoch - recipe.warmup) // recipe.step_size)
    if recipe.schedule == "cosine":
        return _interpolate_cosine(1.0, 0.0, fraction)
    if recipe.schedule == "one-cycle":
        rise = ONE_CYCLE_RISE
        return (
            _interpolate_cosine(ONE_CYCLE_START, 1, fraction / rise)
            if fraction < rise
            else _interpolate_cosine(1, ONE_CYCLE_END, (fraction - rise) / (1 - rise))
        )
    return 1.0


def _interpolate_cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2


class Schedule:
    """Give the learning rate of the next step.

    Args:
        recipe: How to train.
        steps_per_epoch: Batches in an epoch.

    Attributes:
        num_steps: Batches since training began, with the skipped ones.
    """

    def __init__(self, recipe: Recipe, steps_per_epoch: int) -> None:
        self._recipe, self._steps_per_epoch = recipe, steps_per_epoch
        self.num_steps = 0
        self._plateau, self._stale_epochs, self._best = 1.0, 0, math.inf

    @property
    def lr(self) -> float:
        """The learning rate of the next step, at the middle of that step."""
        return self._recipe.lr * self._plateau * lr_factor(self._recipe, (self.num_steps + 0.5) / self._steps_per_epoch)

    def advance(self) -> None:
        """Go on to the next batch."""
        self.num_steps += 1

    def update_plateau(self, value: float) -> None:
        """Record the monitored value of an epoch, where lower is better.

        The `plateau` schedule lowers the rate when the value has not improved for `recipe.step_size` epochs.
        """
        self._stale_epochs = 0 if value < self._best else self._stale_epochs + 1
        self._best = min(value, self._best)
        if self._recipe.schedule == "plateau" and self._stale_epochs >= self._recipe.step_size:
            self._plateau, self._stale_epochs = self._plateau * self._recipe.gamma, 0

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the schedule and the state of the plateau."""
        return {
            "taken": self.num_steps,
            "steps": self._steps_per_epoch,
            "plateau": [self._plateau, self._stale_epochs, self._best],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        If the number of batches in an epoch has changed, the schedule goes on at the same epoch.
        """
        self.num_steps = round(state["taken"] * self._steps_per_epoch / state["steps"])
        self._plateau, self._stale_epochs, self._best = state["plateau"]


def get_monitored_value(row: Mapping[str, Any], monitor: str) -> float:
    """Return the value of a history row that the plateau schedule follows, with its sign set so that lower is better.

    Without a validation set there is no `val_...` column; the training loss is used instead.

    Raises:
        ConfigError: The history has no column with that name.
    """
    if monitor not in row and not monitor.startswith("val_"):
        raise ConfigError(f"monitor {monitor!r} is not a column of the history ({join_names(row)})")
    column = monitor if monitor in row else "loss"
    return float(row.get(column, 0.0)) if is_lower_better(column) else -float(row[column])
