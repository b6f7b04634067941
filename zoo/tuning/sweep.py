"""Train a grid of trials with several seeds, in parallel processes; finished trainings are not run again."""

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
    """One finished training: its number from 1, the total, and its cell or the reason why it failed."""

    trial: Trial
    seed: int
    number: int
    total: int
    cell: Cell | None
    problem: str


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """The result of a sweep: the cells of finished trainings, and why the others failed, by label and seed."""

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
    on_done: Callable[[TrialResult], None] = lambda result: None,
) -> SweepResult:
    """Train every trial with every seed that the ledger lacks, `jobs` at a time, each in its own process.

    A training that fails, or whose process dies, does not stop the others. The next sweep tries it again.

    Args:
        trials: The trials.
        ledger: The file of finished cells; each cell is added when its training ends.
        seeds: Seeds of the weights, the order of the images and the augmentation.
        jobs: Number of processes at a time; the threads of the machine are divided among them.
        device: Where to train.
        metric: The metric that the trials will be ranked by.
        on_done: Called when a training ends.

    Raises:
        ConfigError: There is no seed, `jobs` is below 1, or a trained cell does not have the metric.
        WeightsError: The ledger is damaged, or cannot be written.
        BusyError: Another process runs a sweep with this ledger.
    """
    if not seeds:
        raise ConfigError("a sweep takes at least one seed")
    missing = _find_missing(trials, seeds, ledger)
    failures: dict[tuple[str, int], str] = {}
    initializer = partial(_init_worker, max(1, torch.get_num_threads() // max(jobs, 1)))
    function = partial(_train_task, device)
    with ledger.lock():
        for number, result in enumerate(run_tasks(missing, function, jobs=jobs, initializer=initializer), start=1):
            trial, seed = result.task
            if result.value is None:
                failures[trial.label, seed] = result.problem
            else:
                ledger.add(result.value)
                check_metric(result.value, metric)
            on_done(TrialResult(trial, seed, number, len(missing), result.value, result.problem))
    return SweepResult(cells=_select_cells(ledger, trials, seeds), failures=failures)


def _select_cells(ledger: Ledger, trials: Sequence[Trial], seeds: Sequence[int]) -> tuple[Cell, ...]:
    keys = {trial.make_key(seed) for trial in trials for seed in seeds}
    return tuple(cell for cell in ledger.read_cells() if make_key(cell.row, cell.seed, cell.recipe) in keys)


def _find_missing(trials: Sequence[Trial], seeds: Sequence[int], ledger: Ledger) -> list[tuple[Trial, int]]:
    finished_keys = {make_key(cell.row, cell.seed, cell.recipe) for cell in ledger.read_cells()}
    return [(trial, seed) for seed in seeds for trial in trials if trial.make_key(seed) not in finished_keys]


def _init_worker(num_threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(num_threads)
    torch.set_num_threads(num_threads)


def _train_task(device: str | None, task: tuple[Trial, int]) -> Cell:
    return train_trial(*task, device=device)


def train_trial(trial: Trial, seed: int, device: str | None = None) -> Cell:
    """Train one trial, and return its cell, with the scores on the validation images.

    Raises:
        TrainingError: The recipe holds out no validation images.
    """
    model = create(trial.model, seed=seed, **trial.config)
    images = dataset(trial.data, size=model.preprocessing.size, resize=model.spec.resize).train
    start = time.perf_counter()
    model.fit(images, recipe=trial.recipe, device=device, progress=False)
    seconds = time.perf_counter() - start
    last = model.history.best(trial.recipe.monitor) if trial.recipe.keep == "best" else model.history[-1]
    metrics = {name: value for name, value in last.items() if name.startswith("val_")}
    if not metrics:
        raise TrainingError(f"{trial.label} has no validation images to compare trials on; set validation=0.1")
    return make_cell(trial.label, seed, model, trial.recipe, seconds, scores=CellScores(metrics=metrics))
