"""Run an experiment's missing cells, one JSON line each."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from zoo.api import create, dataset
from zoo.data import Dataset
from zoo.errors import ConfigError, WeightsError, listed
from zoo.model import Model
from zoo.recipe import Recipe
from zoo.spec import Experiment, Row
from zoo.tensors import to_bytes
from zoo.weights import versions

QUICK_EPOCHS = 1


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One row of a table, run with one seed.

    Args:
        row: The row's label.
        seed: Seed of weights, order and augmentation.
        metrics: Test accuracy, negative log-likelihood in nats and calibration error.
        history: Rows of the training history.
        parameters: Number of weights.
        seconds: Wall time of `fit`.
        device: What it ran on, with the number of threads.
        versions: Versions the result depends on.
        weights: sha256 of the trained weights.
        recipe: The recipe, so that a changed one is run anew.
        quick: Whether it was cut to one epoch, only to see that it runs.
    """

    row: str
    seed: int
    metrics: dict[str, float]
    history: list[dict[str, Any]]
    parameters: int
    seconds: float
    device: str
    versions: dict[str, str]
    weights: str
    recipe: dict[str, Any]
    quick: bool = False


class Ledger:
    """The cells that are done, in a file of JSON lines; a line is added whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def cells(self) -> list[Cell]:
        """Return the cells in the file.

        Raises:
            WeightsError: A line is no cell.
        """
        if not self.path.is_file():
            return []
        return [
            self._cell(number, line)
            for number, line in enumerate(self.path.read_text().splitlines(), 1)
            if line.strip()
        ]

    def _cell(self, number: int, line: str) -> Cell:
        try:
            return Cell(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise WeightsError(f"{self.path}: line {number} is no cell; remove it to run that cell again") from error

    def add(self, cell: Cell) -> None:
        """Append a cell and wait until it is on the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(cell), allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def run(
    experiment: Experiment,
    ledger: Ledger,
    *,
    seeds: Sequence[int] | None = None,
    rows: Sequence[str] | None = None,
    device: str | None = None,
    quick: bool = False,
    progress: bool = True,
    on_start: Callable[[Row, int, int, int], None] = lambda row, seed, place, num: None,
) -> list[Cell]:
    """Run the cells that the ledger lacks, add each as it is done, and return all of the experiment's.

    Args:
        experiment: What to run.
        ledger: Where cells are kept; a cell whose recipe has changed since counts as missing.
        seeds: Seeds to run; the experiment's own when left out.
        rows: Labels of the rows to run; all when left out.
        device: Where to train.
        quick: One epoch each, only to see that it runs; the cells say so.
        progress: Show training on standard error.
        on_start: Called with row, seed, place and number of the missing cells.
    """
    missing = list(_missing(experiment, ledger.cells(), seeds or experiment.seeds, rows, quick))
    for place, (row, seed) in enumerate(missing, start=1):
        on_start(row, seed, place, len(missing))
        ledger.add(_run(experiment, row, seed, device, quick, progress))
    return ledger.cells()


def _missing(
    experiment: Experiment, done: Sequence[Cell], seeds: Sequence[int], labels: Sequence[str] | None, quick: bool
) -> Iterator[tuple[Row, int]]:
    known = [row.label for row in experiment.rows]
    for label in labels or ():
        if label not in known:
            raise ConfigError(f"{experiment.name} has no row {label!r}; it has {listed(repr(name) for name in known)}")
    keys = {(cell.row, cell.seed, Recipe.from_json(cell.recipe)) for cell in done}  # fields of later have defaults
    for seed in seeds:
        for row in experiment.rows:
            if (not labels or row.label in labels) and (row.label, seed, _recipe(row, quick)) not in keys:
                yield row, seed


def _recipe(row: Row, quick: bool) -> Recipe:
    model = create(row.model, seed=0, **row.config)
    chosen = model.spec.recipe_named(row.recipe).replace(**row.changes)
    return chosen.replace(epochs=QUICK_EPOCHS) if quick else chosen


def _run(experiment: Experiment, row: Row, seed: int, device: str | None, quick: bool, progress: bool) -> Cell:
    sets: Dataset = dataset(row.dataset or experiment.dataset)
    recipe = _recipe(row, quick)
    model = create(row.model, seed=seed, **row.config)
    started = time.perf_counter()
    model.fit(sets.train, recipe=recipe, device=device, progress=progress)
    seconds = time.perf_counter() - started
    result = model.evaluate(sets.test)
    return Cell(
        row=row.label,
        seed=seed,
        metrics={"accuracy": result.accuracy, "nll": result.nll, "ece": result.ece},
        history=list(model.history),
        parameters=model.num_parameters,
        seconds=round(seconds, 2),
        device=device_of(model),
        versions=versions(),
        weights=hashlib.sha256(to_bytes(model.net.state_dict(), "")).hexdigest(),
        recipe=recipe.to_json(),
        quick=quick,
    )


def device_of(model: Model) -> str:
    """Return what a model was trained on, with the number of threads."""
    device = next(model.net.parameters()).device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
