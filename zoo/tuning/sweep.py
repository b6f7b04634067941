"""Many trainings over a grid of options and seeds, several at a time; those that are done are not run again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch

from zoo.api import create, dataset
from zoo.errors import ConfigError, TrainingError
from zoo.experiment.ledger import Cell, Ledger
from zoo.experiment.run_cell import device_of
from zoo.files.safetensors import to_bytes
from zoo.saving.artifact import versions
from zoo.tuning.grid import Trial, key
from zoo.tuning.ranking import check_metric
from zoo.tuning.workers import outcomes


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
    done = {key(cell.row, cell.seed, cell.recipe) for cell in ledger.cells()}
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
    cells = (cell for cell in ledger.cells() if key(cell.row, cell.seed, cell.recipe) in wanted)
    return Swept(cells=tuple(cells), failures=failures)


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
