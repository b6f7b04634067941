"""What a cell's result depends on: a cell counts for a row as long as none of it has changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from zoo.errors import ConfigError
from zoo.experiment.ledger import Cell
from zoo.factory.build import bound
from zoo.plugins.catalog import CATALOGUE
from zoo.plugins.experiment_spec import Experiment, Row
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe

QUICK_EPOCHS = 1


def inputs(experiment: Experiment, row: Row) -> dict[str, Any]:
    """Return model, complete config, data set, and the functions it is trained and scored by, as JSON values."""
    told = {
        "model": row.model,
        "config": bound(_spec(row), row.config),
        "dataset": row.dataset or experiment.dataset,
        "train": row.train,
        "score": row.score,
    }
    values: dict[str, Any] = json.loads(json.dumps(told))
    return values


def recipe_of(row: Row, *, quick: bool) -> Recipe:
    """Return the whole recipe of a row; a quick one has one epoch."""
    chosen = _spec(row).recipe_named(row.recipe).replace(**row.changes)
    return chosen.replace(epochs=QUICK_EPOCHS) if quick else chosen


def _spec(row: Row) -> ModelSpec:
    spec: ModelSpec = CATALOGUE.shelf("models")[row.model]
    return spec


def current(experiment: Experiment, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells that are what the rows are now, in the ledger's order."""
    rows = {row.label: row for row in experiment.rows}
    return [cell for cell in cells if cell.row in rows and is_of(cell, experiment, rows[cell.row])]


def is_of(cell: Cell, experiment: Experiment, row: Row) -> bool:
    """Return whether a cell is what a row would come to now.

    Fields that the recipe, and options that the model has got since, have their defaults in the cell.
    """
    if cell.row != row.label or not _is_recipe(cell, row):
        return False
    then, now = dict(cell.inputs), inputs(experiment, row)
    config, complete = then.pop("config", {}), now.pop("config")
    has_no_new = all(key in config for key in row.config)
    return then == now and has_no_new and all(key in complete and complete[key] == config[key] for key in config)


def _is_recipe(cell: Cell, row: Row) -> bool:
    try:
        return Recipe.from_json(cell.recipe) == recipe_of(row, quick=cell.quick)
    except ConfigError:  # a field that recipes no longer have
        return False
