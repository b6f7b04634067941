"""Rank the trials of a sweep by a metric."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from zoo.errors import ConfigError
from zoo.experiment.ledger import Cell
from zoo.saving.history import is_lower_better


def rank_trials(cells: Iterable[Cell], metric: str = "val_accuracy") -> list[dict[str, Any]]:
    """Return a row for each trial, best first: mean and standard deviation of a metric, and the number of seeds."""
    by_label: dict[str, list[Cell]] = {}
    for cell in cells:
        by_label.setdefault(cell.row, []).append(cell)
    rows = [_summarize_trial(label, cells, metric) for label, cells in by_label.items()]
    return sorted(rows, key=lambda row: row["mean"], reverse=not is_lower_better(metric))


def check_metric(cell: Cell, metric: str) -> None:
    """Check that a cell has a metric.

    Raises:
        ConfigError: It does not.
    """
    if metric not in cell.metrics:
        raise ConfigError(f"{cell.row} has no {metric!r}; it has {', '.join(cell.metrics)}")


def _summarize_trial(label: str, cells: Sequence[Cell], metric: str) -> dict[str, Any]:
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
