"""Run an experiment's missing cells, each kept as soon as it is done."""

from __future__ import annotations

import hashlib
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any

import torch

from zoo.api import create, dataset
from zoo.build import resolved
from zoo.callbacks import Callback
from zoo.data import Dataset, Images
from zoo.errors import ConfigError, PluginError, TrainingError, ZooError, listed
from zoo.experiment.cell import Cell, Ledger, packed
from zoo.experiment.inputs import current, inputs, recipe_of
from zoo.inference import device_named
from zoo.model import Model
from zoo.paper import Experiment, Row
from zoo.progress import counted
from zoo.tensors import to_bytes
from zoo.weights import versions

QUICK_IMAGES = {"train": 2048, "test": 1000}
"""How many images a quick cell is trained and scored on."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a trained model was scored with."""

    metrics: dict[str, float]
    confusion: list[list[int]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)


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
    """Run the cells that the ledger lacks, add each as it is done, and return all that are the experiment's now.

    A cell that fails does not stop the others. It may be stopped anywhere: what is done is not run again.

    Args:
        experiment: What to run.
        ledger: Where cells are kept; a cell whose row has changed since counts as missing.
        seeds: Seeds to run; the experiment's own when left out.
        rows: Labels of the rows to run; when left out, all that need nothing which is not here.
        device: Where to train.
        quick: One epoch of a few images each, only to see that it runs; the cells say so.
        progress: Show on standard error how many cells are done.
        on_start: Called with row, seed, place and number of the missing cells.

    Raises:
        ConfigError: There is no such row.
        BusyError: Another process runs this experiment.
        TrainingError: Cells have failed; all others are done.
    """
    failures: list[tuple[Row, int, ZooError]] = []
    with ledger.running():
        done = current(experiment, ledger.cells())
        missing = list(_missing(experiment, done, seeds or experiment.seeds, rows, device, quick))
        data = _Sets(experiment, quick)
        with counted(progress, len(missing)) as shown:
            for place, (row, seed) in enumerate(missing, start=1):
                on_start(row, seed, place, len(missing))
                shown.begin(f"{row.label}, seed {seed}", _left(missing[place - 1 :], done, quick))
                try:
                    cell = _run(experiment, row, seed, data.of(row), device, quick, shown.callbacks)
                except ZooError as error:
                    failures.append((row, seed, error))
                    shown.end(f"failed: {error}")
                    continue
                ledger.add(cell)
                done.append(cell)
                shown.end(_told(cell, experiment.metrics[0]))
    if failures:
        row, seed, cause = failures[0]
        first = f"the first of them {row.label!r}, seed {seed}: {cause}"
        raise TrainingError(f"{len(failures)} of {len(missing)} cells failed, {first}") from cause
    return current(experiment, ledger.cells())


def _missing(
    experiment: Experiment,
    done: Sequence[Cell],
    seeds: Sequence[int],
    labels: Sequence[str] | None,
    device: str | None,
    quick: bool,
) -> Iterator[tuple[Row, int]]:
    known = [row.label for row in experiment.rows]
    for label in labels or ():
        if label not in known:
            raise ConfigError(f"{experiment.name} has no row {label!r}; it has {listed(repr(name) for name in known)}")
    left_out = () if quick else waiting(experiment, device)
    wanted = [row for row in experiment.rows if (row.label in labels if labels else row not in left_out)]
    have = {(cell.row, cell.seed) for cell in done if cell.quick == quick}
    yield from ((row, seed) for seed in seeds for row in wanted if (row.label, seed) not in have)


def waiting(experiment: Experiment, device: str | None = None) -> tuple[Row, ...]:
    """Return the rows that need what is not here, and are left out unless they are asked for by their labels."""
    if device_named(device).type != "cpu":
        return ()
    return tuple(row for row in experiment.rows if row.needs == "gpu")


def _left(missing: Sequence[tuple[Row, int]], done: Sequence[Cell], quick: bool) -> float | None:
    """Return about how many seconds the missing cells take, by those that are done; None while none is."""
    known: dict[str, list[float]] = {}
    for cell in done:
        if cell.quick == quick:
            known.setdefault(cell.row, []).append(cell.seconds)
    if not known:
        return None
    usual = mean(median(each) for each in known.values())
    return sum(median(known[row.label]) if row.label in known else usual for row, _ in missing)


def _told(cell: Cell, metric: str) -> str:
    value = f"{metric} {cell.metrics[metric]:.4f}, " if metric in cell.metrics else ""
    return f"{value}{cell.seconds:.1f} s"


class _Sets:
    """The data sets of an experiment, each read once; a few images of each for quick cells."""

    def __init__(self, experiment: Experiment, quick: bool) -> None:
        self._usual, self._quick = experiment.dataset, quick
        self._sets: dict[str, Dataset] = {}

    def of(self, row: Row) -> Dataset:
        name = row.dataset or self._usual
        if name not in self._sets:
            whole = dataset(name)
            self._sets[name] = _few(whole) if self._quick else whole
        return self._sets[name]


def _few(whole: Dataset) -> Dataset:
    def taken(part: str) -> Images:
        images: Images = getattr(whole, part)
        return images.take(min(QUICK_IMAGES[part], len(images)), seed=0)

    return Dataset(train=lambda: taken("train"), test=lambda: taken("test"), name=whole.name)


def _run(
    experiment: Experiment,
    row: Row,
    seed: int,
    sets: Dataset,
    device: str | None,
    quick: bool,
    callbacks: Sequence[Callback],
) -> Cell:
    recipe = recipe_of(row, quick=quick)
    model = create(row.model, seed=seed, **row.config)
    images = _training(row, sets, seed, quick)
    started = time.perf_counter()
    model.fit(images, recipe=recipe, device=device, progress=False, callbacks=callbacks)
    seconds = time.perf_counter() - started
    found = _scored(row, model, sets, seed, quick)
    return Cell(
        row=row.label,
        seed=seed,
        metrics=found.metrics,
        history=list(model.history),
        parameters=model.num_parameters,
        seconds=round(seconds, 2),
        device=device_of(model),
        versions=versions(),
        weights=hashlib.sha256(to_bytes(model.net.state_dict(), "")).hexdigest(),
        recipe=recipe.to_json(),
        inputs=inputs(experiment, row),
        confusion=found.confusion,
        answers=found.answers,
        quick=quick,
    )


def _training(row: Row, sets: Dataset, seed: int, quick: bool) -> Images:
    if not row.train:
        return sets.train
    images = _called(row.train, row, sets, seed=seed, quick=quick)
    if not isinstance(images, Images):
        raise PluginError(f"{row.train} of row {row.label!r} returned {type(images).__name__}, not zoo.Images")
    return images


def _called(target: str, row: Row, *given: Any, seed: int, quick: bool) -> Any:
    """Call a function that a row names; whatever goes wrong in it is the plugin's."""
    function = resolved(target, f"row {row.label!r}")
    try:
        return function(*given, seed=seed, quick=quick)
    except ZooError:
        raise
    except Exception as error:
        raise PluginError(f"{target} of row {row.label!r} failed: {type(error).__name__}: {error}") from error


def _scored(row: Row, model: Model, sets: Dataset, seed: int, quick: bool) -> Found:
    found = Found(metrics={})
    if model.spec.task == "classification":
        result = model.evaluate(sets.test)
        found.metrics.update(accuracy=result.accuracy, nll=result.nll, ece=result.ece)
        found.confusion.extend(list(counts) for counts in result.confusion)
    if row.score:
        _sorted(_called(row.score, row, model, sets, seed=seed, quick=quick), found, row)
    if not found.metrics:
        raise PluginError(f"row {row.label!r} has no metric: a generator's row names a score")
    return found


def _sorted(told: Any, found: Found, row: Row) -> None:
    """Put numbers to the metrics, and tensors of one number an image to the answers."""
    if not isinstance(told, Mapping):
        raise PluginError(f"{row.score} of row {row.label!r} returned {type(told).__name__}, not metrics by name")
    for name, value in told.items():
        if isinstance(value, torch.Tensor) and value.dtype == torch.uint8 and value.ndim == 1:
            found.answers[name] = packed(value.cpu().numpy())
        elif isinstance(value, int | float) and math.isfinite(value):
            found.metrics[name] = float(value)
        else:
            odd = f"{name} is {value!r}, neither a finite number nor a uint8 tensor (N)"
            raise PluginError(f"{row.score} of row {row.label!r}: {odd}")


def device_of(model: Model) -> str:
    """Return what a model was trained on, with the number of threads."""
    device = next(model.net.parameters()).device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
