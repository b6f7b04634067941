"""What the cells of a row come to, and the verdict that its numbers give."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev

from zoo.experiment.freshness import select_fresh_cells
from zoo.experiment.ledger import Cell
from zoo.history import is_lower_better
from zoo.plugins.experiment_spec import Experiment, Row

REPRODUCED, BEATEN, MISSED = "reproduced", "beaten", "not reproduced"


@dataclass(frozen=True, kw_only=True)
class Stat:
    """A metric of a row over its seeds, beside the paper's.

    Args:
        name: Name of the metric.
        values: One of each seed.
        paper: What the paper has, if it has one.
    """

    name: str
    values: tuple[float, ...]
    paper: float | None = None

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return mean(self.values)

    @property
    def std(self) -> float | None:
        """Standard deviation over the seeds, of at least two."""
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def best(self) -> float:
        """The best seed's."""
        return min(self.values) if is_lower_better(self.name) else max(self.values)

    @property
    def worst(self) -> float:
        """The worst seed's."""
        return max(self.values) if is_lower_better(self.name) else min(self.values)

    def __str__(self) -> str:
        return f"{self.mean:.4f}" + (f" ± {self.std:.4f}" if self.std is not None else "")

    @property
    def range_text(self) -> str:
        """The least and the largest, in words."""
        return f"{min(self.values):.4f} to {max(self.values):.4f}"

    def judge(self, tolerance: float) -> str:
        """Return the verdict: whether the paper's number is met within a tolerance or lies among our seeds."""
        if self.paper is None:
            return ""
        if abs(self.mean - self.paper) <= tolerance or min(self.values) <= self.paper <= max(self.values):
            return REPRODUCED
        return BEATEN if (self.mean < self.paper) == is_lower_better(self.name) else MISSED


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A row with what its cells come to.

    Args:
        row: The row.
        cells: Its cells.
        stats: A `Stat` of each metric that the table shows and the cells have, in the table's order.
        tolerance: The table's.
        num_seeds: How many seeds it is to have.
        rest_command: The command that runs the seeds which are missing, or empty.
    """

    row: Row
    cells: tuple[Cell, ...]
    stats: tuple[Stat, ...]
    tolerance: float
    num_seeds: int
    rest_command: str

    @property
    def primary(self) -> Stat | None:
        """The metric that is compared with the paper's."""
        return self.stats[0] if self.stats else None

    @property
    def seconds(self) -> float:
        """Median wall time of `fit`."""
        return median(cell.seconds for cell in self.cells)

    @property
    def verdict(self) -> str:
        """The verdict in a word; empty where the paper has no number, and of quick cells."""
        return self.primary.judge(self.tolerance) if self.primary and not self.is_quick else ""

    @property
    def is_quick(self) -> bool:
        """Whether quick cells are among its cells."""
        return any(cell.quick for cell in self.cells)

    @property
    def has_remark(self) -> bool:
        """Whether there is more to say than the table says: a verdict, a note, or that it is not run."""
        return bool(self.verdict or self.row.note or not self.primary)

    @property
    def sentence(self) -> str:
        """The verdict as a sentence; the words come from the numbers, the note from the row."""
        told = self._format_stat(self.primary) if self.primary else f"not yet run: `{self.rest_command}`."
        return f"{told} {self.row.note}".rstrip()

    def _format_stat(self, stat: Stat) -> str:
        count = len(stat.values)
        seeds = f"n = {count}{f' of {self.num_seeds} seeds' if self.rest_command else ''}"
        ours = f"{stat} ({seeds}{f', {stat.range_text}' if count > 1 else ''})"
        if self.is_quick:
            return f"{ours} by quick cells, which only show that it runs."
        if stat.paper is None:
            return f"the paper has no number; ours is {ours}."
        reason = self._explain_verdict(stat, stat.paper)
        return f"**{self.verdict}**: the paper has {stat.paper:.4f}, ours is {ours}; {reason}."

    def _explain_verdict(self, stat: Stat, paper: float) -> str:
        if self.verdict == BEATEN:
            return f"our worst seed is better by {abs(stat.worst - paper):.4f}"
        if self.verdict == MISSED:
            return f"our best seed is worse by {abs(stat.best - paper):.4f}"
        if abs(stat.mean - paper) <= self.tolerance:
            return f"the means differ by {abs(stat.mean - paper):.4f}, and up to {self.tolerance:g} counts as met"
        return f"the means differ by {abs(stat.mean - paper):.4f}, but the paper's lies among our seeds"


def summarize_rows(experiment: Experiment, cells: Sequence[Cell]) -> list[Summary]:
    """Return a summary of each row, from the cells that are what the rows are now."""
    ours = select_fresh_cells(experiment, cells)
    return [
        _summarize_row(experiment, row, tuple(cell for cell in ours if cell.row == row.label))
        for row in experiment.rows
    ]


def _summarize_row(experiment: Experiment, row: Row, cells: tuple[Cell, ...]) -> Summary:
    stats = tuple(
        Stat(name=name, values=values, paper=_get_paper_value(row, name))
        for name in experiment.metrics
        if (values := tuple(cell.metrics[name] for cell in cells if name in cell.metrics))
    )
    return Summary(
        row=row,
        cells=cells,
        stats=stats,
        tolerance=experiment.tolerance,
        num_seeds=len(experiment.seeds),
        rest_command=_make_rest_command(experiment, row, cells),
    )


def _get_paper_value(row: Row, name: str) -> float | None:
    number = row.paper.get(name)
    return float(number) if isinstance(number, int | float) else None


def _make_rest_command(experiment: Experiment, row: Row, cells: Sequence[Cell]) -> str:
    have = {cell.seed for cell in cells}
    missing = [seed for seed in experiment.seeds if seed not in have]
    if not missing:
        return ""
    words = ["zoo", "experiment", "run", experiment.name, "--row", row.label]
    if have:
        words += ["--seeds", ",".join(map(str, missing)) + ("," if len(missing) == 1 else "")]
    return shlex.join([*words, "--device", "cuda"] if row.needs == "gpu" else words)
