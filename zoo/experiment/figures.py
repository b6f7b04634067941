"""Plot the figures of an experiment from its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from statistics import mean
from typing import Any

from zoo.experiment.freshness import select_full_cells
from zoo.experiment.ledger import Cell
from zoo.experiment.report import format_title
from zoo.plots import TableEntry, plot_curves, plot_robustness, plot_table
from zoo.plots.scores import plot_confusion_counts
from zoo.plugins.catalog import CATALOG
from zoo.plugins.experiment_spec import Experiment, Row
from zoo.saving.history import History

NamedFigures = Iterator[tuple[str, Any]]
"""Pairs of a name, which follows the experiment's name in the file name, and a figure."""
AVERAGED_COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy", "discriminator_loss", "generator_loss")
"""Columns of the history that are plotted."""


def draw_figures(experiment: Experiment, cells: Sequence[Cell]) -> dict[str, Any]:
    """Return the figures that the experiment lists and its cells have data for, by file name without suffix."""
    full_cells = select_full_cells(experiment, cells)
    figures: dict[str, Any] = {}
    for item in experiment.figures:
        kind, _, argument = item.partition(":")
        for name, figure in DRAW_FUNCTIONS[kind](experiment, full_cells, argument):
            figures[f"{experiment.name}-{_slugify(name)}"] = figure
    return figures


def _slugify(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def make_table_entries(experiment: Experiment, cells: Sequence[Cell], metric: str) -> list[TableEntry]:
    """Return the rows of an experiment's chart: the metric of each seed, beside the paper's number.

    Args:
        experiment: The experiment.
        cells: Its full cells; see `select_full_cells`.
        metric: The metric to show.
    """

    def make_entry(row: Row) -> TableEntry:
        values = tuple(cell.metrics[metric] for cell in cells if cell.row == row.label and metric in cell.metrics)
        paper = row.paper.get(metric)
        return TableEntry(
            label=row.label, scores=values, paper_score=float(paper) if isinstance(paper, int | float) else None
        )

    return [make_entry(row) for row in experiment.rows]


def _draw_table(experiment: Experiment, cells: Sequence[Cell], metric: str) -> NamedFigures:
    metric_name = metric or experiment.metrics[0]
    entries = make_table_entries(experiment, cells, metric_name)
    if any(entry.scores for entry in entries):
        label = "test accuracy" if metric_name == "accuracy" else metric_name
        yield f"table {metric}", plot_table(entries, title=format_title(experiment), metric=label)


def _draw_curves(experiment: Experiment, cells: Sequence[Cell], argument: str) -> NamedFigures:
    histories = {
        row.label: average_histories([cell.history for cell in cells if cell.row == row.label])
        for row in experiment.rows
        if any(cell.row == row.label for cell in cells)
    }
    losses = {f"{row.label}, paper": row.paper.get("loss") for row in experiment.rows}
    papers = {label: each for label, each in losses.items() if isinstance(each, tuple)}
    if any(len(history) for history in histories.values()):
        yield "curves", plot_curves(histories, paper=papers)


def average_histories(histories: Sequence[Sequence[dict[str, float]]]) -> History:
    """Return the mean of several histories, epoch by epoch, as long as the shortest of them."""
    rows = []
    for epoch, seeds in enumerate(zip(*histories, strict=False), start=1):
        columns = [name for name in AVERAGED_COLUMNS if all(row.get(name) is not None for row in seeds)]
        rows.append({"epoch": epoch, **{name: mean(row[name] for row in seeds) for name in columns}})
    return History(rows)


def _draw_confusion(experiment: Experiment, cells: Sequence[Cell], label: str) -> NamedFigures:
    """Plot the sum of the confusion matrices of a row's seeds."""
    row = next((row for row in experiment.rows if row.label == label), None)
    confusions = [cell.confusion for cell in cells if cell.row == label and cell.confusion]
    if row is not None and confusions:
        counts = [[sum(numbers) for numbers in zip(*lines, strict=True)] for lines in zip(*confusions, strict=True)]
        names = CATALOG.registry("datasets")[row.dataset or experiment.dataset].classes
        yield f"confusion {label}", plot_confusion_counts(counts, names, title=f"{label}, n = {len(confusions)}")


def _draw_robustness(experiment: Experiment, cells: Sequence[Cell], argument: str) -> NamedFigures:
    """Plot accuracy against the strength of one change, with one figure for each arm."""
    change, _, unit = argument.partition(":")
    arms = dict.fromkeys(_get_arm(row.label) for row in experiment.rows)
    for arm in arms:
        models = {
            row.label.removeprefix(f"{arm}: "): _get_accuracy_by_strength(
                change, [cell for cell in cells if cell.row == row.label]
            )
            for row in experiment.rows
            if _get_arm(row.label) == arm
        }
        models = {name: points for name, points in models.items() if points}
        if models:
            title = f"accuracy under {change}" + (f", trained {arm}" if arm else "")
            yield f"{change} {arm}", plot_robustness(models, change=change, unit=unit, title=title)


def _get_arm(label: str) -> str:
    return label.partition(": ")[0] if ": " in label else ""


def _get_accuracy_by_strength(change: str, cells: Sequence[Cell]) -> dict[float, tuple[float, ...]]:
    """Return the accuracies of the seeds by strength, from the metrics `CHANGE@STRENGTH`."""
    names = [name for name in (cells[0].metrics if cells else ()) if name.startswith(f"{change}@")]
    return {
        float(name.partition("@")[2]): tuple(cell.metrics[name] for cell in cells if name in cell.metrics)
        for name in names
    }


DRAW_FUNCTIONS: dict[str, Callable[[Experiment, Sequence[Cell], str], NamedFigures]] = {
    "table": _draw_table,
    "curves": _draw_curves,
    "confusion": _draw_confusion,
    "robustness": _draw_robustness,
}
