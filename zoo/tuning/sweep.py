"""Many trainings over a grid of options and seeds, several at a time; those that are done are not run again."""

from __future__ import annotations

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
from zoo.experiment.run_cell import CellScores, make_cell
from zoo.tuning.grid import Trial, make_key
from zoo.tuning.ranking import check_metric
from zoo.tuning.workers import run_tasks


class TrialResult(NamedTuple):
    """A training that has ended: the how many-th of how many, and what it came to or why it failed."""

    trial: Trial
    seed: int
    index: int  # type: ignore[assignment]
    total: int
    cell: Cell | None
    problem: str


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """What a sweep came to: the cells that are done, and what became of the others, by label and seed."""

    cells: tuple[Cell, ...]
    failures: Mapping[tuple[str, int], str]


def sweep(
    trials: Sequence[Trial],
    ledger: Ledger,
    *,
    seeds: Sequence[int],
    jobs: int = 1,
    device: str | None = None,
    metric: str = "val_accuracy",
    on_done: Callable[[TrialResult], None] = lambda ended: None,
) -> SweepResult:
    """Train every trial with every seed that the ledger lacks, `jobs` at a time, each in a process of its own.

    A trial whose training fails, or whose process dies, does not stop the others, and is tried again the next time.

    Args:
        trials: The trials.
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
    done = {make_key(cell.row, cell.seed, cell.recipe) for cell in ledger.read_cells()}
    missing = [(point, seed) for seed in seeds for point in trials if point.make_key(seed) not in done]
    failures: dict[tuple[str, int], str] = {}
    begin, work = partial(_init_worker, max(1, torch.get_num_threads() // max(jobs, 1))), partial(_train_task, device)
    with ledger.lock():
        for place, ended in enumerate(run_tasks(missing, work, jobs=jobs, initializer=begin), start=1):
            point, seed = ended.task
            if ended.value is None:
                failures[point.label, seed] = ended.problem
            else:
                ledger.add(ended.value)
                check_metric(ended.value, metric)
            on_done(TrialResult(point, seed, place, len(missing), ended.value, ended.problem))
    wanted = {point.make_key(seed) for point in trials for seed in seeds}
    cells = (cell for cell in ledger.read_cells() if make_key(cell.row, cell.seed, cell.recipe) in wanted)
    return SweepResult(cells=tuple(cells), failures=failures)


def _init_worker(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)


def _train_task(device: str | None, task: tuple[Trial, int]) -> Cell:
    return train_trial(*task, device=device)


def train_trial(trial: Trial, seed: int, device: str | None = None) -> Cell:
    """Train one trial, and return what its held-out images show."""
    model = create(trial.model, seed=seed, **trial.config)
    images = dataset(trial.data, size=model.preprocessing.size, resize=model.spec.resize).train
    start = time.perf_counter()
    model.fit(images, recipe=trial.recipe, device=device, progress=False)
    seconds = time.perf_counter() - start
    last = model.history.best(trial.recipe.monitor) if trial.recipe.keep == "best" else model.history[-1]
    metrics = {name: value for name, value in last.items() if name.startswith("val_")}
    if not metrics:
        raise TrainingError(f"{trial.label} held out no images to be compared on; set validation=0.1")
    return make_cell(trial.label, seed, model, trial.recipe, seconds, scores=CellScores(metrics=metrics))
