"""What a cell's result depends on: a cell counts for a row as long as none of it has changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from zoo.errors import ConfigError
from zoo.experiment.ledger import Cell
from zoo.factory.build import bind_config
from zoo.plugins.catalog import CATALOG
from zoo.plugins.experiment_spec import Experiment, Row
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe

QUICK_EPOCHS = 1


def compute_inputs(experiment: Experiment, row: Row) -> dict[str, Any]:
    """Return model, complete config, data set, and the functions it is trained and scored by, as JSON values."""
    told = {
        "model": row.model,
        "config": bind_config(_get_spec(row), row.config),
        "dataset": row.dataset or experiment.dataset,
        "train": row.train,
        "score": row.score,
    }
    values: dict[str, Any] = json.loads(json.dumps(told))
    return values


def resolve_row_recipe(row: Row, *, quick: bool) -> Recipe:
    """Return the whole recipe of a row; a quick one has one epoch."""
    chosen = _get_spec(row).get_recipe(row.recipe).replace(**row.changes)
    return chosen.replace(epochs=QUICK_EPOCHS) if quick else chosen


def _get_spec(row: Row) -> ModelSpec:
    spec: ModelSpec = CATALOG.registry("models")[row.model]
    return spec


def select_fresh_cells(experiment: Experiment, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells that are what the rows are now, in the ledger's order."""
    rows = {row.label: row for row in experiment.rows}
    return [cell for cell in cells if cell.row in rows and is_fresh(cell, experiment, rows[cell.row])]


def select_full_cells(experiment: Experiment, cells: Sequence[Cell]) -> list[Cell]:
    """Return the fresh cells that are not quick, in the ledger's order."""
    return [cell for cell in select_fresh_cells(experiment, cells) if not cell.quick]


def is_fresh(cell: Cell, experiment: Experiment, row: Row) -> bool:
    """Return whether a cell is what a row would come to now.

    Fields that the recipe, and options that the model has got since, have their defaults in the cell.
    """
    if cell.row != row.label or not _has_same_recipe(cell, row):
        return False
    then, now = dict(cell.inputs), compute_inputs(experiment, row)
    config, complete = then.pop("config", {}), now.pop("config")
    has_no_new = all(key in config for key in row.config)
    return then == now and has_no_new and all(key in complete and complete[key] == config[key] for key in config)


def _has_same_recipe(cell: Cell, row: Row) -> bool:
    try:
        return Recipe.from_json(cell.recipe) == resolve_row_recipe(row, quick=cell.quick)
    except ConfigError:  # a field that recipes no longer have
        return False
