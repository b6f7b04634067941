"""Find a learning rate and a batch size by trying them on a copy: weights and random states stay as they were."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.data import ExternalLoader
from zoo.errors import ConfigError
from zoo.model import Model
from zoo.recipe import Recipe
from zoo.training.optimizer import build_optimizer
from zoo.tuning.probe import Probe, open_probe, resolve_recipe

SMOOTHING = 0.9
"""Weight of the past in the smoothed loss (Smith 2017, as Howard and Gugger 2020 have it)."""
DIVERGENCE_FACTOR = 4.0
"""A loss so many times the smallest ends the search."""
MIN_SPEEDUP = 1.1
"""A doubled batch that is not so many times as fast ends the search."""
OUT_OF_MEMORY_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True, kw_only=True)
class LRFinderResult:
    """What `find_lr` found.

    Args:
        lr: Where the smoothed loss falls fastest over the logarithm of the rate.
        rates: The rates that were tried, ascending.
        losses: The smoothed loss at each.
    """

    lr: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class BatchSizeFinderResult:
    """What `find_batch_size` found.

    Args:
        fastest: The smallest size that no doubling makes 10 % faster.
        largest: The largest that fitted into memory, of those tried.
        images_per_second: Training speed at each size tried.
    """

    fastest: int
    largest: int
    images_per_second: Mapping[int, float]


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

    The learning-rate range test of Smith 2017, "Cyclical learning rates for training neural networks".

    Args:
        model: What is to be trained; it stays as it is.
        data: What `fit` takes.
        low: The first rate.
        high: The last rate, unless the loss is four times its smallest before.
        steps: Steps from one to the other.
        recipe: The recipe, or the name of one of the model's.
        device: Where to train.
        **changes: Fields of the recipe to change.

    Raises:
        ConfigError: The rates are not in order, or fewer than 10 steps are asked for.
    """
    _check_integer("steps", steps, minimum=10)
    if not all(isinstance(each, int | float) for each in (low, high)) or not 0 < low < high < math.inf:
        raise ConfigError(
            f"a search goes from a low to a higher rate, such as 1e-6 to 10, not from {low!r} to {high!r}"
        )
    chosen = resolve_recipe(model, recipe, changes)
    with open_probe(model, data, chosen, device) as trial:
        rates, losses = _run_range_test(trial, chosen, low, high, steps)
    if len(rates) < 3:
        raise ConfigError(f"the loss diverged at once, at a rate of {low:g}; begin with a lower low=")
    return LRFinderResult(lr=_find_steepest(rates, losses), rates=tuple(rates), losses=tuple(losses))


def _check_integer(name: str, number: Any, *, minimum: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or number < minimum:
        raise ConfigError(f"{name} is a whole number of at least {minimum}, not {number!r}")


def _run_range_test(
    trial: Probe, recipe: Recipe, low: float, high: float, steps: int
) -> tuple[list[float], list[float]]:
    """Return the rates that were tried until the loss diverged, and the smoothed loss at each."""
    optimizer = build_optimizer(recipe, trial.net.parameters())
    rates: list[float] = []
    losses: list[float] = []
    mean, smallest = 0.0, math.inf
    for number, batch in zip(range(steps), trial.batches(), strict=False):
        rate = low * (high / low) ** (number / (steps - 1))
        loss = trial.step(batch, optimizer, rate)
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        smooth = mean / (1 - SMOOTHING ** (number + 1))
        if not math.isfinite(smooth) or smooth > DIVERGENCE_FACTOR * smallest:
            break
        smallest = min(smallest, smooth)
        rates.append(rate)
        losses.append(smooth)
    return rates, losses


def _find_steepest(rates: list[float], losses: list[float]) -> float:
    """Return the rate where the loss falls fastest, before it is smallest."""
    end = max(losses.index(min(losses)), 2)
    falls = [losses[place - 1] - losses[place + 1] for place in range(1, end)]
    return rates[1 + falls.index(max(falls))]


def find_batch_size(
    model: Model,
    data: Any,
    *,
    low: int = 8,
    high: int = 8192,
    steps: int = 3,
    recipe: Recipe | str | None = None,
    device: str | None = None,
    **changes: Any,
) -> BatchSizeFinderResult:
    """Time training steps of a copy of the model at doubled batch sizes, until memory or speed says stop.

    Args:
        model: What is to be trained; it stays as it is.
        data: What `fit` takes.
        low: The first size.
        high: No larger one is tried, nor one larger than the data.
        steps: Steps that are timed at each size, after one to warm up.
        recipe: The recipe, or the name of one of the model's.
        device: Where to train.
        **changes: Fields of the recipe to change.

    Raises:
        ConfigError: `data` is somebody else's loader, which decides its size itself, or not even `low` fits.
    """
    for name, number in (("low", low), ("high", high), ("steps", steps)):
        _check_integer(name, number, minimum=1)
    if high < low:
        raise ConfigError(f"a search goes from low to high, and high={high} is less than low={low}")
    speeds: dict[int, float] = {}
    size, fastest = low, low
    while size <= high:
        speed = _measure_speed(
            model, data, resolve_recipe(model, recipe, {**changes, "batch_size": size}), device, steps
        )
        if speed is None:
            break
        speeds[size] = speed
        if size > low and speed < MIN_SPEEDUP * speeds[fastest]:
            break
        fastest, size = size, size * 2
    if not speeds:
        raise ConfigError(f"not even a batch of {low} fits: the data has fewer images, or the memory is full")
    return BatchSizeFinderResult(fastest=fastest, largest=max(speeds), images_per_second=speeds)


def _measure_speed(model: Model, data: Any, recipe: Recipe, device: str | None, steps: int) -> float | None:
    """Return images a second, or None where a batch does not fit into memory or the data."""
    try:
        with open_probe(model, data, recipe, device) as trial:
            if isinstance(trial.train, ExternalLoader):
                raise ConfigError("the loader decides its batch size itself; give its data set")
            if len(trial.train.images) < recipe.batch_size:
                return None
            optimizer, batches = build_optimizer(recipe, trial.net.parameters()), trial.batches()
            trial.step(next(batches), optimizer, recipe.lr)
            start = time.perf_counter()
            for _ in range(steps):
                trial.step(next(batches), optimizer, recipe.lr)
            return steps * recipe.batch_size / (time.perf_counter() - start)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or any(word in str(error).lower() for word in OUT_OF_MEMORY_MESSAGES):
            return None
        raise
