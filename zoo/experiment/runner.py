"""Run the missing cells of an experiment, and add each to the ledger as soon as it is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import mean, median

from zoo.api import dataset
from zoo.data import Dataset, Images
from zoo.device import resolve_device
from zoo.errors import ConfigError, TrainingError, ZooError, join_names
from zoo.experiment.freshness import select_fresh_cells
from zoo.experiment.ledger import Cell, Ledger
from zoo.experiment.progress import CellProgress, show_cell_progress
from zoo.experiment.run_cell import run_cell
from zoo.plugins.experiment_spec import Experiment, Row

QUICK_IMAGES = {"train": 2048, "test": 1000}
"""Number of images that a quick cell is trained and scored on."""


def run(
    experiment: Experiment,
    ledger: Ledger,
    *,
    seeds: Sequence[int] | None = None,
    rows: Sequence[str] | None = None,
    device: str | None = None,
    quick: bool = False,
    progress: bool = True,
    on_start: Callable[[Row, int, int, int], None] = lambda row, seed, index, total: None,
) -> list[Cell]:
    """Run the cells that the ledger lacks, add each to it, and return all fresh cells of the experiment.

    A cell that fails does not stop the others. A run can be stopped at any time: finished cells are not run again.

    Args:
        experiment: The experiment to run.
        ledger: The file of finished cells; a cell whose row has changed since counts as missing.
        seeds: Seeds to run; the experiment's own by default.
        rows: Labels of the rows to run; by default all rows whose needs this machine meets.
        device: Where to train.
        quick: Train one epoch on a few images, only to check that it runs; such cells are marked as quick.
        progress: Show on standard error how many cells are finished.
        on_start: Called before each missing cell with row, seed, index from 1 and the number of missing cells.

    Raises:
        ConfigError: There is no such row.
        BusyError: Another process runs this experiment.
        TrainingError: Cells failed; all others are finished.
    """
    with ledger.lock():
        finished = select_fresh_cells(experiment, ledger.read_cells())
        missing = list(_find_missing(experiment, finished, seeds or experiment.seeds, rows, device, quick))
        with show_cell_progress(progress, len(missing)) as display:
            failures = _run_missing(experiment, ledger, finished, missing, device, quick, on_start, display)
    if failures:
        row, seed, cause = failures[0]
        first = f"the first of them {row.label!r}, seed {seed}: {cause}"
        raise TrainingError(f"{len(failures)} of {len(missing)} cells failed, {first}") from cause
    return select_fresh_cells(experiment, ledger.read_cells())


def _run_missing(
    experiment: Experiment,
    ledger: Ledger,
    finished: list[Cell],
    missing: Sequence[tuple[Row, int]],
    device: str | None,
    quick: bool,
    on_start: Callable[[Row, int, int, int], None],
    display: CellProgress,
) -> list[tuple[Row, int, ZooError]]:
    """Run cells, add each to the ledger and to the finished ones, and return the failures."""
    failures: list[tuple[Row, int, ZooError]] = []
    data = _DatasetCache(experiment, quick)
    for index, (row, seed) in enumerate(missing, start=1):
        on_start(row, seed, index, len(missing))
        display.begin(f"{row.label}, seed {seed}", _estimate_seconds_left(missing[index - 1 :], finished, quick))
        try:
            cell = run_cell(experiment, row, seed, data.get(row), device, quick, display.callbacks)
        except ZooError as error:
            failures.append((row, seed, error))
            display.end(f"failed: {error}")
            continue
        ledger.add(cell)
        finished.append(cell)
        display.end(_format_cell(cell, experiment.metrics[0]))
    return failures


def _find_missing(
    experiment: Experiment,
    finished: Sequence[Cell],
    seeds: Sequence[int],
    labels: Sequence[str] | None,
    device: str | None,
    quick: bool,
) -> Iterator[tuple[Row, int]]:
    row_labels = [row.label for row in experiment.rows]
    for label in labels or ():
        if label not in row_labels:
            raise ConfigError(
                f"{experiment.name} has no row {label!r}; it has {join_names(repr(name) for name in row_labels)}"
            )
    unavailable = () if quick else find_unavailable_rows(experiment, device)
    rows_to_run = [row for row in experiment.rows if (row.label in labels if labels else row not in unavailable)]
    finished_keys = {(cell.row, cell.seed) for cell in finished if cell.quick == quick}
    yield from ((row, seed) for seed in seeds for row in rows_to_run if (row.label, seed) not in finished_keys)


def find_unavailable_rows(experiment: Experiment, device: str | None = None) -> tuple[Row, ...]:
    """Return the rows that need a GPU where there is none; they run only if their labels are given."""
    if resolve_device(device).type != "cpu":
        return ()
    return tuple(row for row in experiment.rows if row.needs == "gpu")


def _estimate_seconds_left(missing: Sequence[tuple[Row, int]], finished: Sequence[Cell], quick: bool) -> float | None:
    """Estimate the seconds of the missing cells from the finished ones; None while there is none."""
    seconds_by_row: dict[str, list[float]] = {}
    for cell in finished:
        if cell.quick == quick:
            seconds_by_row.setdefault(cell.row, []).append(cell.seconds)
    if not seconds_by_row:
        return None
    average = mean(median(seconds) for seconds in seconds_by_row.values())
    return sum(median(seconds_by_row[row.label]) if row.label in seconds_by_row else average for row, _ in missing)


def _format_cell(cell: Cell, metric: str) -> str:
    value = f"{metric} {cell.metrics[metric]:.4f}, " if metric in cell.metrics else ""
    return f"{value}{cell.seconds:.1f} s"


class _DatasetCache:
    """The data sets of an experiment, each loaded once; for quick cells only a few images of each."""

    def __init__(self, experiment: Experiment, quick: bool) -> None:
        self._default, self._quick = experiment.dataset, quick
        self._datasets: dict[str, Dataset] = {}

    def get(self, row: Row) -> Dataset:
        name = row.dataset or self._default
        if name not in self._datasets:
            full = dataset(name)
            self._datasets[name] = _subsample(full) if self._quick else full
        return self._datasets[name]


def _subsample(full: Dataset) -> Dataset:
    def take_part(part: str) -> Images:
        images: Images = getattr(full, part)
        return images.take(min(QUICK_IMAGES[part], len(images)), seed=0)

    return Dataset(train=lambda: take_part("train"), test=lambda: take_part("test"), name=full.name)
