"""Many trainings over a grid of options and seeds, several at a time; those that are done are not run again."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import torch

from zoo.api import create, dataset
from zoo.errors import ConfigError, TrainingError
from zoo.experiment.cell import Cell, Ledger
from zoo.experiment.lanes import outcomes
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

    def key(self, seed: int) -> str:
        """Return what its cell with a seed is known by: a label and a whole recipe."""
        return _key(self.label, seed, self.recipe.to_json())


class Ended(NamedTuple):
    """A training that has ended: the how many-th of how many, and what it came to or why it failed."""

    trial: Trial
    seed: int
    place: int
    num: int
    cell: Cell | None
    problem: str


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

    A model has as many classes and channels as the data, unless `config` says otherwise.

    Raises:
        ConfigError, UnknownNameError, SourceError: One is not possible; it is found before anything is trained.
    """
    found: dict[str, Trial] = {}
    for options in _combined(config):
        made = create(model, seed=0, **options)
        train = dataset(data, size=made.preprocessing.size, how=made.spec.resize).train
        whole = {"classes": len(train.classes), "channels": train.channels, **options}
        create(model, seed=0, **whole)
        for changes in _combined(grid):
            chosen = made.spec.recipe_named(recipe).replace(**changes)
            chosen = chosen if chosen.validation else chosen.replace(validation=HELD_OUT)
            label = _label(model, data, recipe, {**options, **changes})
            found[label] = Trial(label=label, model=model, data=data, recipe=chosen, config=whole)
    return list(found.values())


def _label(model: str, data: str, recipe: str | None, chosen: Mapping[str, Any]) -> str:
    named = [] if recipe is None else [f"recipe={recipe}"]
    return " ".join([model, data, *named, *(f"{name}={_short(value)}" for name, value in chosen.items())])


def _combined(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))


def sweep(
    points: Sequence[Trial],
    ledger: Ledger,
    *,
    seeds: Sequence[int],
    jobs: int = 1,
    device: str | None = None,
    metric: str = "val_accuracy",
    on_done: Callable[[Ended], None] = lambda ended: None,
) -> Swept:
    """Train every trial with every seed that the ledger lacks, `jobs` at a time, each in a process of its own.

    A trial whose training fails, or whose process dies, does not stop the others, and is tried again the next time.

    Args:
        points: The trials.
        ledger: Where cells are kept; each is added when it is done.
        seeds: Seeds of weights, order and augmentation.
        jobs: Processes at a time; the machine's threads are shared among them.
        device: Where to train.
        metric: What trials will be ranked by.
        on_done: Called when a training has ended.

    Raises:
        ConfigError: No seed or less than one job is asked for, or what was trained has no such metric.
        WeightsError: The ledger is damaged, or cannot be written.
        BusyError: Another process sweeps into it.
    """
    if not seeds:
        raise ConfigError("a sweep takes at least one seed")
    done = {_key(cell.row, cell.seed, cell.recipe) for cell in ledger.cells()}
    missing = [(point, seed) for seed in seeds for point in points if point.key(seed) not in done]
    failures: dict[tuple[str, int], str] = {}
    begin, work = partial(_begin, max(1, torch.get_num_threads() // max(jobs, 1))), partial(_train, device)
    with ledger.running():
        for place, ended in enumerate(outcomes(missing, work, jobs=jobs, begin=begin), start=1):
            point, seed = ended.task
            if ended.value is None:
                failures[point.label, seed] = ended.problem
            else:
                ledger.add(ended.value)
                check_metric(ended.value, metric)
            on_done(Ended(point, seed, place, len(missing), ended.value, ended.problem))
    wanted = {point.key(seed) for point in points for seed in seeds}
    cells = (cell for cell in ledger.cells() if _key(cell.row, cell.seed, cell.recipe) in wanted)
    return Swept(cells=tuple(cells), failures=failures)


def _key(label: str, seed: int, recipe: Mapping[str, Any]) -> str:
    return json.dumps([label, seed, recipe], sort_keys=True)


def _begin(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)


def _train(device: str | None, task: tuple[Trial, int]) -> Cell:
    return train(*task, device=device)


def train(point: Trial, seed: int, device: str | None = None) -> Cell:
    """Train one trial, and return what its held-out images show."""
    model = create(point.model, seed=seed, **point.config)
    images = dataset(point.data, size=model.preprocessing.size, how=model.spec.resize).train
    started = time.perf_counter()
    model.fit(images, recipe=point.recipe, device=device, progress=False)
    seconds = time.perf_counter() - started
    last = model.history.best(point.recipe.monitor) if point.recipe.keep == "best" else model.history[-1]
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
        recipe=point.recipe.to_json(),
    )


def ranked(swept: Swept, metric: str = "val_accuracy") -> list[dict[str, Any]]:
    """Return a row a trial, best first: mean and standard deviation of a metric over seeds, and their number."""
    by_label: dict[str, list[Cell]] = {}
    for cell in swept.cells:
        by_label.setdefault(cell.row, []).append(cell)
    rows = [_row(label, cells, metric) for label, cells in by_label.items()]
    return sorted(rows, key=lambda row: row["mean"], reverse=not is_lower_better(metric))


def check_metric(cell: Cell, metric: str) -> None:
    """Raise unless a training has shown a metric.

    Raises:
        ConfigError: It has not.
    """
    if metric not in cell.metrics:
        raise ConfigError(f"{cell.row} has no {metric!r}; it has {', '.join(cell.metrics)}")


def _row(label: str, cells: Sequence[Cell], metric: str) -> dict[str, Any]:
    for cell in cells:
        check_metric(cell, metric)
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
