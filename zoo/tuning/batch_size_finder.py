"""Find a batch size by timing a copy of the model; its weights and all random states stay unchanged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.data import ExternalLoader
from zoo.errors import ConfigError
from zoo.model import Model
from zoo.recipe import Recipe
from zoo.training.optimizer import build_optimizer
from zoo.training.session import resolve_recipe
from zoo.tuning.probe import check_integer, open_probe

MIN_SPEEDUP = 1.1
"""The search ends when a doubled batch trains fewer images a second than this many times the fastest before."""
OUT_OF_MEMORY_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True, kw_only=True)
class BatchSizeFinderResult:
    """The result of `find_batch_size`.

    Args:
        fastest: The smallest size that no doubling makes 10 % faster.
        largest: The largest size tried that fitted into memory.
        images_per_second: Training speed at each size tried.
    """

    fastest: int
    largest: int
    images_per_second: Mapping[int, float]


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
    """Time training steps of a copy of the model at doubled batch sizes, until memory is full or speed stays the same.

    Args:
        model: The model to be trained; it is not changed.
        data: What `fit` takes.
        low: The first size.
        high: The largest size to try; the search also ends at the number of images.
        steps: Number of steps timed at each size, after one step to warm up.
        recipe: The recipe, or the name of one of the model's.
        device: Where to train.
        **changes: Fields of the recipe to change.

    Raises:
        ConfigError: `data` is an external loader, which sets its own batch size, or not even `low` fits.
    """
    for name, number in (("low", low), ("high", high), ("steps", steps)):
        check_integer(name, number, minimum=1)
    if high < low:
        raise ConfigError(f"a search goes from low to high, and high={high} is less than low={low}")
    resolved = resolve_recipe(model.spec, recipe, {**changes, "batch_size": low})
    speeds: dict[int, float] = {}
    size, fastest = low, low
    while size <= high:
        speed = _measure_speed(model, data, resolved.replace(batch_size=size), device, steps)
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
        with open_probe(model, data, recipe, device) as probe:
            if isinstance(probe.train, ExternalLoader):
                raise ConfigError("the loader sets its own batch size; pass its data set instead")
            if len(probe.train.images) < recipe.batch_size:
                return None
            optimizer, batches = build_optimizer(recipe, probe.net.parameters()), probe.batches()
            probe.step(next(batches), optimizer, recipe.lr)
            start = time.perf_counter()
            for _ in range(steps):
                probe.step(next(batches), optimizer, recipe.lr)
            return steps * recipe.batch_size / (time.perf_counter() - start)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or any(text in str(error).lower() for text in OUT_OF_MEMORY_MESSAGES):
            return None
        raise
