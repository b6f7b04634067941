"""Run an experiment's missing cells, each kept as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import mean, median

from zoo.api import dataset
from zoo.data import Dataset, Images
from zoo.device import resolve_device
from zoo.errors import ConfigError, TrainingError, ZooError, join_names
from zoo.experiment.freshness import select_fresh_cells
from zoo.experiment.ledger import Cell, Ledger
from zoo.experiment.progress import show_cell_progress
from zoo.experiment.run_cell import run_cell
from zoo.plugins.experiment_spec import Experiment, Row

QUICK_IMAGES = {"train": 2048, "test": 1000}
"""How many images a quick cell is trained and scored on."""


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
    with ledger.lock():
        done = select_fresh_cells(experiment, ledger.read_cells())
        missing = list(_find_missing(experiment, done, seeds or experiment.seeds, rows, device, quick))
        data = _DatasetCache(experiment, quick)
        with show_cell_progress(progress, len(missing)) as shown:
            for place, (row, seed) in enumerate(missing, start=1):
                on_start(row, seed, place, len(missing))
                shown.begin(f"{row.label}, seed {seed}", _estimate_seconds_left(missing[place - 1 :], done, quick))
                try:
                    cell = run_cell(experiment, row, seed, data.get(row), device, quick, shown.callbacks)
                except ZooError as error:
                    failures.append((row, seed, error))
                    shown.end(f"failed: {error}")
                    continue
                ledger.add(cell)
                done.append(cell)
                shown.end(_format_cell(cell, experiment.metrics[0]))
    if failures:
        row, seed, cause = failures[0]
        first = f"the first of them {row.label!r}, seed {seed}: {cause}"
        raise TrainingError(f"{len(failures)} of {len(missing)} cells failed, {first}") from cause
    return select_fresh_cells(experiment, ledger.read_cells())


def _find_missing(
    experiment: Experiment,
    finished: Sequence[Cell],
    seeds: Sequence[int],
    labels: Sequence[str] | None,
    device: str | None,
    quick: bool,
) -> Iterator[tuple[Row, int]]:
    known = [row.label for row in experiment.rows]
    for label in labels or ():
        if label not in known:
            raise ConfigError(
                f"{experiment.name} has no row {label!r}; it has {join_names(repr(name) for name in known)}"
            )
    left_out = () if quick else find_unavailable_rows(experiment, device)
    wanted = [row for row in experiment.rows if (row.label in labels if labels else row not in left_out)]
    have = {(cell.row, cell.seed) for cell in finished if cell.quick == quick}
    yield from ((row, seed) for seed in seeds for row in wanted if (row.label, seed) not in have)


def find_unavailable_rows(experiment: Experiment, device: str | None = None) -> tuple[Row, ...]:
    """Return the rows that need what is not here, and are left out unless they are asked for by their labels."""
    if resolve_device(device).type != "cpu":
        return ()
    return tuple(row for row in experiment.rows if row.needs == "gpu")


def _estimate_seconds_left(missing: Sequence[tuple[Row, int]], finished: Sequence[Cell], quick: bool) -> float | None:
    """Return about how many seconds the missing cells take, by those that are done; None while none is."""
    known: dict[str, list[float]] = {}
    for cell in finished:
        if cell.quick == quick:
            known.setdefault(cell.row, []).append(cell.seconds)
    if not known:
        return None
    usual = mean(median(each) for each in known.values())
    return sum(median(known[row.label]) if row.label in known else usual for row, _ in missing)


def _format_cell(cell: Cell, metric: str) -> str:
    value = f"{metric} {cell.metrics[metric]:.4f}, " if metric in cell.metrics else ""
    return f"{value}{cell.seconds:.1f} s"


class _DatasetCache:
    """The data sets of an experiment, each read once; a few images of each for quick cells."""

    def __init__(self, experiment: Experiment, quick: bool) -> None:
        self._usual, self._quick = experiment.dataset, quick
        self._sets: dict[str, Dataset] = {}

    def get(self, row: Row) -> Dataset:
        name = row.dataset or self._usual
        if name not in self._sets:
            whole = dataset(name)
            self._sets[name] = _subsample(whole) if self._quick else whole
        return self._sets[name]


def _subsample(full: Dataset) -> Dataset:
    def taken(part: str) -> Images:
        images: Images = getattr(full, part)
        return images.take(min(QUICK_IMAGES[part], len(images)), seed=0)

    return Dataset(train=lambda: taken("train"), test=lambda: taken("test"), name=full.name)
