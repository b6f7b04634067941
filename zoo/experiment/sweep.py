"""Many trainings over a grid of options and seeds, several at a time; those that are done are not run again."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import torch

from zoo.api import create, dataset
from zoo.errors import ConfigError, TrainingError, ZooError
from zoo.experiment.cell import Cell, Ledger
from zoo.experiment.run import device_of
from zoo.history import is_lower_better
from zoo.recipe import Recipe
from zoo.tensors import to_bytes
from zoo.weights import versions

HELD_OUT = 0.1
"""Share of the training images that trials are compared on, where the recipe names none: never the test images."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One point of the grid.

    Args:
        model: Name of the model.
        data: Name of the data set, or a folder.
        config: Options of the model.
        recipe: Name of one of the model's recipes, or None.
        changes: Fields of the recipe.
    """

    model: str
    data: str
    config: Mapping[str, Any] = field(default_factory=dict)
    recipe: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What it is called in the table: all that was chosen for it."""
        chosen = {**self.config, **self.changes}
        return " ".join([self.model, *(f"{name}={_short(value)}" for name, value in chosen.items())])

    def made(self, seed: int) -> tuple[Any, Recipe]:
        """Return its model and its whole recipe.

        Raises:
            ConfigError: The model or the recipe has no such field, or it may not be so.
        """
        model = create(self.model, seed=seed, **self.config)
        whole = model.spec.recipe_named(self.recipe).replace(**self.changes)
        return model, whole if whole.validation else whole.replace(validation=HELD_OUT)


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep came to: the cells that are done, and what became of the others, by label and seed."""

    cells: tuple[Cell, ...]
    failures: Mapping[tuple[str, int], str]


def trials(
    model: str,
    data: str,
    *,
    grid: Mapping[str, Sequence[Any]],
    config: Mapping[str, Sequence[Any]],
    recipe: str | None = None,
) -> list[Trial]:
    """Return every combination of values of recipe fields (`grid`) and model options (`config`).

    Raises:
        ConfigError: One is not possible; it is found before anything is trained.
    """
    points = [
        Trial(model=model, data=data, config=options, recipe=recipe, changes=changes)
        for options in _combined(config)
        for changes in _combined(grid)
    ]
    for point in points:
        point.made(0)
    return points


def _combined(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))


def sweep(
    points: Sequence[Trial],
    ledger: Ledger,
    *,
    seeds: Sequence[int],
    jobs: int = 1,
    device: str | None = None,
    on_done: Callable[[str, int, int, int], None] = lambda label, seed, place, num: None,
) -> Swept:
    """Train every trial with every seed that the ledger lacks, `jobs` at a time, each in a process of its own pool.

    A trial whose training fails does not stop the others, and is tried again the next time.

    Args:
        points: The trials.
        ledger: Where cells are kept; each is added when it is done.
        seeds: Seeds of weights, order and augmentation.
        jobs: Processes at a time; the machine's threads are shared among them.
        device: Where to train.
        on_done: Called with label, seed, place and number of each training that has ended.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is how many trainings run at a time, at least 1, not {jobs}")
    missing = list(_missing(points, ledger.cells(), seeds))
    failures: dict[tuple[str, int], str] = {}
    threads = max(1, torch.get_num_threads() // jobs)
    for number, (point, seed, ended) in enumerate(_ended(missing, jobs, threads, device), start=1):
        try:
            ledger.add(ended.result())
        except ZooError as error:
            failures[point.label, seed] = str(error)
        except BrokenProcessPool:
            failures[point.label, seed] = "its process died; there may be too little memory for so many jobs"
        on_done(point.label, seed, number, len(missing))
    wanted = {(point.label, seed) for point in points for seed in seeds}
    return Swept(cells=tuple(c for c in ledger.cells() if (c.row, c.seed) in wanted), failures=failures)


def _missing(points: Sequence[Trial], done: Sequence[Cell], seeds: Sequence[int]) -> Iterator[tuple[Trial, int]]:
    keys = {_key(cell.row, cell.seed, cell.recipe) for cell in done}
    for seed in seeds:
        for point in points:
            if _key(point.label, seed, point.made(0)[1].to_json()) not in keys:
                yield point, seed


def _key(label: str, seed: int, recipe: Mapping[str, Any]) -> str:
    return json.dumps([label, seed, recipe], sort_keys=True)


def _ended(
    missing: Sequence[tuple[Trial, int]], jobs: int, threads: int, device: str | None
) -> Iterator[tuple[Trial, int, Future[Cell]]]:
    """Yield each training as it ends; on Ctrl-C those that have not begun are given up."""
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(missing)), mp_context=context, initializer=_begin, initargs=(threads,))
    try:
        running = {pool.submit(train, point, seed, device): (point, seed) for point, seed in missing}
        for ended in as_completed(running):
            yield *running[ended], ended
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)


def train(point: Trial, seed: int, device: str | None = None) -> Cell:
    """Train one trial, and return what its held-out images show."""
    model, recipe = point.made(seed)
    started = time.perf_counter()
    model.fit(dataset(point.data).train, recipe=recipe, device=device, progress=False)
    seconds = time.perf_counter() - started
    last = model.history.best(recipe.monitor) if recipe.keep == "best" else model.history[-1]
    metrics = {name: value for name, value in last.items() if name.startswith("val_")}
    if not metrics:
        raise TrainingError(f"{point.label} held out no images to be compared on; set validation=0.1")
    return Cell(
        row=point.label,
        seed=seed,
        metrics=metrics,
        history=list(model.history),
        parameters=model.num_parameters,
        seconds=round(seconds, 2),
        device=device_of(model),
        versions=versions(),
        weights=hashlib.sha256(to_bytes(model.net.state_dict(), "")).hexdigest(),
        recipe=recipe.to_json(),
    )


def ranked(swept: Swept, metric: str = "val_accuracy") -> list[dict[str, Any]]:
    """Return a row a trial, best first: mean and standard deviation of a metric over seeds, and their number."""
    by_label: dict[str, list[Cell]] = {}
    for cell in swept.cells:
        by_label.setdefault(cell.row, []).append(cell)
    rows = [_row(label, cells, metric) for label, cells in by_label.items()]
    return sorted(rows, key=lambda row: row["mean"], reverse=not is_lower_better(metric))


def _row(label: str, cells: Sequence[Cell], metric: str) -> dict[str, Any]:
    if any(metric not in cell.metrics for cell in cells):
        raise ConfigError(f"{label} has no {metric!r}; it has {', '.join(cells[0].metrics)}")
    values = [cell.metrics[metric] for cell in cells]
    return {
        "trial": label,
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "n": len(values),
        "seconds": statistics.fmean(cell.seconds for cell in cells),
    }


def _short(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple | list) else f"{value}"
