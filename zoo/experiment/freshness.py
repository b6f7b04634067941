"""Decide whether a cell is fresh: whether all that its result depends on is still the same as in its row."""

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
"""Epochs of a quick cell."""


def compute_inputs(experiment: Experiment, row: Row) -> dict[str, Any]:
    """Return model, complete config, data set, and the functions that train and score a row, as JSON values."""
    values = {
        "model": row.model,
        "config": bind_config(_get_spec(row), row.config),
        "dataset": row.dataset or experiment.dataset,
        "train": row.train,
        "score": row.score,
    }
    as_json: dict[str, Any] = json.loads(json.dumps(values))  # tuples become lists, as in a ledger
    return as_json


def resolve_row_recipe(row: Row, *, quick: bool) -> Recipe:
    """Return the complete recipe of a row; a quick one has one epoch."""
    recipe = _get_spec(row).get_recipe(row.recipe).replace(**row.changes)
    return recipe.replace(epochs=QUICK_EPOCHS) if quick else recipe


def _get_spec(row: Row) -> ModelSpec:
    spec: ModelSpec = CATALOG.registry("models")[row.model]
    return spec


def select_fresh_cells(experiment: Experiment, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells whose inputs still match the experiment's rows, in the order of the ledger."""
    rows = {row.label: row for row in experiment.rows}
    return [cell for cell in cells if cell.row in rows and is_fresh(cell, experiment, rows[cell.row])]


def select_full_cells(experiment: Experiment, cells: Sequence[Cell]) -> list[Cell]:
    """Return the fresh cells that are not quick, in the order of the ledger."""
    return [cell for cell in select_fresh_cells(experiment, cells) if not cell.quick]


def is_fresh(cell: Cell, experiment: Experiment, row: Row) -> bool:
    """Return whether the inputs of a cell still match a row.

    Recipe fields and model options that were added after the cell was run have their defaults in the cell.
    """
    if cell.row != row.label or not _has_same_recipe(cell, row):
        return False
    stored, current = dict(cell.inputs), compute_inputs(experiment, row)
    stored_config, current_config = stored.pop("config", {}), current.pop("config")
    has_row_options = all(key in stored_config for key in row.config)
    has_same_options = all(key in current_config and current_config[key] == stored_config[key] for key in stored_config)
    return stored == current and has_row_options and has_same_options


def _has_same_recipe(cell: Cell, row: Row) -> bool:
    try:
        return Recipe.from_json(cell.recipe) == resolve_row_recipe(row, quick=cell.quick)
    except ConfigError:  # a field that recipes no longer have
        return False
