"""Find a learning rate with a range test on a copy of the model; its weights and all random states stay unchanged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from zoo.errors import ConfigError
from zoo.model import Model
from zoo.recipe import Recipe
from zoo.training.optimizer import build_optimizer
from zoo.training.session import resolve_recipe
from zoo.tuning.probe import Probe, check_integer, open_probe

SMOOTHING = 0.9
"""Weight of the past in the smoothed loss (Smith 2017, in the form of Howard and Gugger 2020)."""
DIVERGENCE_FACTOR = 4.0
"""The search ends when the smoothed loss exceeds its minimum by this factor."""


@dataclass(frozen=True, kw_only=True)
class LRFinderResult:
    """The result of `find_lr`.

    Args:
        lr: The rate where the smoothed loss falls fastest over the logarithm of the rate.
        rates: The rates that were tried, ascending.
        losses: The smoothed loss at each rate.
    """

    lr: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]


def find_lr(
    model: Model,
    data: Any,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    recipe: Recipe | str | None = None,
    device: str | None = None,
    **changes: Any,
) -> LRFinderResult:
    """Train a copy of the model while the rate grows from `low` to `high`; return the rate to train with.

    This is the learning-rate range test of Smith 2017, "Cyclical learning rates for training neural networks".

    Args:
        model: The model to be trained; it is not changed.
        data: What `fit` takes.
        low: The first rate.
        high: The last rate, unless the loss rises to four times its minimum before.
        steps: Number of steps from `low` to `high`, at least 10.
        recipe: The recipe, or the name of one of the model's.
        device: Where to train.
        **changes: Fields of the recipe to change.

    Raises:
        ConfigError: The rates are not in ascending order, `steps` is below 10, or the loss diverged at once.
    """
    check_integer("steps", steps, minimum=10)
    if not all(isinstance(each, int | float) for each in (low, high)) or not 0 < low < high < math.inf:
        raise ConfigError(
            f"a search goes from a low to a higher rate, such as 1e-6 to 10, not from {low!r} to {high!r}"
        )
    resolved = resolve_recipe(model.spec, recipe, changes)
    with open_probe(model, data, resolved, device) as probe:
        rates, losses = _run_range_test(probe, resolved, low, high, steps)
    if len(rates) < 3:
        raise ConfigError(f"the loss diverged at once, at a rate of {low:g}; begin with a lower low=")
    return LRFinderResult(lr=_find_steepest(rates, losses), rates=tuple(rates), losses=tuple(losses))


def _run_range_test(
    probe: Probe, recipe: Recipe, low: float, high: float, steps: int
) -> tuple[list[float], list[float]]:
    """Return the rates that were tried until the loss diverged, and the smoothed loss at each."""
    optimizer = build_optimizer(recipe, probe.net.parameters())
    rates: list[float] = []
    losses: list[float] = []
    mean, smallest = 0.0, math.inf
    for number, batch in zip(range(steps), probe.batches(), strict=False):
        rate = low * (high / low) ** (number / (steps - 1))
        loss = probe.step(batch, optimizer, rate)
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        smooth = mean / (1 - SMOOTHING ** (number + 1))
        if not math.isfinite(smooth) or smooth > DIVERGENCE_FACTOR * smallest:
            break
        smallest = min(smallest, smooth)
        rates.append(rate)
        losses.append(smooth)
    return rates, losses


def _find_steepest(rates: list[float], losses: list[float]) -> float:
    """Return the rate where the loss falls fastest, before its minimum."""
    end = max(losses.index(min(losses)), 2)
    falls = [losses[index - 1] - losses[index + 1] for index in range(1, end)]
    return rates[1 + falls.index(max(falls))]
