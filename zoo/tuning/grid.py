"""Expand a grid of recipe fields and model options into trials."""

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
    """One point of the grid, with everything that a training depends on but the seed.

    Args:
        label: Name in the table: model, data and the values of the options.
        model: Name of the model.
        data: Name of the data set, or a folder.
        recipe: The complete recipe.
        config: Options of the model.
    """

    label: str
    model: str
    data: str
    recipe: Recipe
    config: Mapping[str, Any] = field(default_factory=dict)

    def make_key(self, seed: int) -> str:
        """Return the key of the trial's cell with a seed."""
        return make_key(self.label, seed, self.recipe.to_json())


def make_trials(
    model: str,
    data: str,
    *,
    grid: Mapping[str, Sequence[Any]],
    config: Mapping[str, Sequence[Any]],
    recipe: str | None = None,
) -> list[Trial]:
    """Return a trial for every combination of values of recipe fields (`grid`) and model options (`config`).

    A model has the classes and channels of the data, unless `config` sets others. A recipe without `validation` holds
    out `VALIDATION_FRACTION` of the training images, which the trials are compared on: test images are never used.

    Raises:
        ConfigError, UnknownNameError, SourceError: A combination is not possible. This is checked before training.
    """
    trials: dict[str, Trial] = {}
    for options in _expand_grid(config):
        default = create(model, seed=0, **options)
        train = dataset(data, size=default.preprocessing.size, resize=default.spec.resize).train
        full_config = {"classes": len(train.classes), "channels": train.channels, **options}
        create(model, seed=0, **full_config)
        for changes in _expand_grid(grid):
            trial_recipe = default.spec.get_recipe(recipe).replace(**changes)
            if not trial_recipe.validation:
                trial_recipe = trial_recipe.replace(validation=VALIDATION_FRACTION)
            label = _make_label(model, data, recipe, {**options, **changes})
            trials[label] = Trial(label=label, model=model, data=data, recipe=trial_recipe, config=full_config)
    return list(trials.values())


def _make_label(model: str, data: str, recipe: str | None, values: Mapping[str, Any]) -> str:
    recipe_part = [] if recipe is None else [f"recipe={recipe}"]
    return " ".join([model, data, *recipe_part, *(f"{name}={_format_value(value)}" for name, value in values.items())])


def _expand_grid(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))


def _format_value(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple | list) else f"{value}"


def make_key(label: str, seed: int, recipe: Mapping[str, Any]) -> str:
    """Return the key of a cell: its label, its seed and its complete recipe, as JSON."""
    return json.dumps([label, seed, recipe], sort_keys=True)
