"""The points of a grid of options, each with all that a training depends on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from zoo.api import create, dataset
from zoo.recipe import VALIDATION_FRACTION, Recipe


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One point of the grid.

    Args:
        label: What it is called in the table: all that was chosen for it.
        model: Name of the model.
        data: Name of the data set, or a folder.
        recipe: The whole recipe.
        config: Options of the model.
    """

    label: str
    model: str
    data: str
    recipe: Recipe
    config: Mapping[str, Any] = field(default_factory=dict)

    def make_key(self, seed: int) -> str:
        """Return what its cell with a seed is known by: a label and a whole recipe."""
        return make_key(self.label, seed, self.recipe.to_json())


def make_trials(
    model: str,
    data: str,
    *,
    grid: Mapping[str, Sequence[Any]],
    config: Mapping[str, Sequence[Any]],
    recipe: str | None = None,
) -> list[Trial]:
    """Return every combination of values of recipe fields (`grid`) and model options (`config`).

    A model has as many classes and channels as the data, unless `config` says otherwise.

    Raises:
        ConfigError, UnknownNameError, SourceError: One is not possible; it is found before anything is trained.
    """
    found: dict[str, Trial] = {}
    for options in _expand_grid(config):
        made = create(model, seed=0, **options)
        train = dataset(data, size=made.preprocessing.size, resize=made.spec.resize).train
        whole = {"classes": len(train.classes), "channels": train.channels, **options}
        create(model, seed=0, **whole)
        for changes in _expand_grid(grid):
            chosen = made.spec.get_recipe(recipe).replace(**changes)
            chosen = chosen if chosen.validation else chosen.replace(validation=VALIDATION_FRACTION)
            label = _make_label(model, data, recipe, {**options, **changes})
            found[label] = Trial(label=label, model=model, data=data, recipe=chosen, config=whole)
    return list(found.values())


def _make_label(model: str, data: str, recipe: str | None, values: Mapping[str, Any]) -> str:
    named = [] if recipe is None else [f"recipe={recipe}"]
    return " ".join([model, data, *named, *(f"{name}={_format_value(value)}" for name, value in values.items())])


def _expand_grid(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))


def _format_value(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple | list) else f"{value}"


def make_key(label: str, seed: int, recipe: Mapping[str, Any]) -> str:
    """Return what a cell is known by."""
    return json.dumps([label, seed, recipe], sort_keys=True)
