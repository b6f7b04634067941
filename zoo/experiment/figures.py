"""The pictures of an experiment, from its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from statistics import mean
from typing import Any

from zoo.experiment.freshness import current
from zoo.experiment.ledger import Cell
from zoo.experiment.report import title
from zoo.history import History
from zoo.plots import Entry, curves, robustness, table
from zoo.plots.scores import counted
from zoo.plugins.catalog import CATALOGUE
from zoo.plugins.experiment_spec import Experiment, Row

Named = Iterator[tuple[str, Any]]
"""Figures by what they are called after the experiment's name."""
AVERAGED = ("loss", "accuracy", "val_loss", "val_accuracy", "discriminator_loss", "generator_loss")
"""Columns of the history that are drawn."""


def figures(experiment: Experiment, cells: Sequence[Cell]) -> dict[str, Any]:
    """Return what the experiment asks to be drawn by file name without suffix, as far as its cells have it."""
    ours = [cell for cell in current(experiment, cells) if not cell.quick]
    drawn: dict[str, Any] = {}
    for picture in experiment.pictures:
        kind, _, about = picture.partition(":")
        for name, figure in KINDS[kind](experiment, ours, about):
            drawn[f"{experiment.name}-{_slug(name)}"] = figure
    return drawn


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _table(experiment: Experiment, cells: Sequence[Cell], metric: str) -> Named:
    wanted = metric or experiment.metrics[0]

    def entry(row: Row) -> Entry:
        ours = tuple(cell.metrics[wanted] for cell in cells if cell.row == row.label and wanted in cell.metrics)
        paper = row.paper.get(wanted)
        return Entry(label=row.label, ours=ours, paper=float(paper) if isinstance(paper, int | float) else None)

    entries = [entry(row) for row in experiment.rows]
    if any(each.ours for each in entries):
        told = "test accuracy" if wanted == "accuracy" else wanted
        yield f"table {metric}", table(entries, title=title(experiment), metric=told)


def _curves(experiment: Experiment, cells: Sequence[Cell], about: str) -> Named:
    histories = {
        row.label: averaged([cell.history for cell in cells if cell.row == row.label])
        for row in experiment.rows
        if any(cell.row == row.label for cell in cells)
    }
    losses = {f"{row.label}, paper": row.paper.get("loss") for row in experiment.rows}
    papers = {label: each for label, each in losses.items() if isinstance(each, tuple)}
    if any(len(history) for history in histories.values()):
        yield "curves", curves(histories, paper=papers)


def averaged(histories: Sequence[Sequence[dict[str, float]]]) -> History:
    """Return the mean of several histories, epoch by epoch as far as all go."""
    rows = []
    for epoch, each in enumerate(zip(*histories, strict=False), start=1):
        columns = [name for name in AVERAGED if all(row.get(name) is not None for row in each)]
        rows.append({"epoch": epoch, **{name: mean(row[name] for row in each) for name in columns}})
    return History(rows)


def _confusion(experiment: Experiment, cells: Sequence[Cell], label: str) -> Named:
    """Draw the counts of a row's seeds together."""
    row = next((row for row in experiment.rows if row.label == label), None)
    found = [cell.confusion for cell in cells if cell.row == label and cell.confusion]
    if row is not None and found:
        counts = [[sum(numbers) for numbers in zip(*lines, strict=True)] for lines in zip(*found, strict=True)]
        names = CATALOGUE.shelf("datasets")[row.dataset or experiment.dataset].classes
        yield f"confusion {label}", counted(counts, names, title=f"{label}, n = {len(found)}")


def _robustness(experiment: Experiment, cells: Sequence[Cell], about: str) -> Named:
    """Draw accuracy by strength of one change, a figure for each arm."""
    change, _, unit = about.partition(":")
    arms = dict.fromkeys(_arm(row.label) for row in experiment.rows)
    for arm in arms:
        models = {
            row.label.removeprefix(f"{arm}: "): _points(change, [cell for cell in cells if cell.row == row.label])
            for row in experiment.rows
            if _arm(row.label) == arm
        }
        models = {name: points for name, points in models.items() if points}
        if models:
            told = f"{change}, trained {arm}" if arm else change
            yield f"{change} {arm}", robustness(models, change=change, unit=unit, title=f"accuracy under {told}")


def _arm(label: str) -> str:
    return label.partition(": ")[0] if ": " in label else ""


def _points(change: str, cells: Sequence[Cell]) -> dict[float, tuple[float, ...]]:
    """Return the accuracies of each seed by strength, from the metrics `CHANGE@STRENGTH`."""
    names = [name for name in (cells[0].metrics if cells else ()) if name.startswith(f"{change}@")]
    return {
        float(name.partition("@")[2]): tuple(cell.metrics[name] for cell in cells if name in cell.metrics)
        for name in names
    }


KINDS: dict[str, Callable[[Experiment, Sequence[Cell], str], Named]] = {
    "table": _table,
    "curves": _curves,
    "confusion": _confusion,
    "robustness": _robustness,
}
