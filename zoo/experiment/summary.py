"""What the cells of a row come to, and the verdict that its numbers give."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev

from zoo.experiment.freshness import current
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
    def span(self) -> str:
        """The least and the largest, in words."""
        return f"{min(self.values):.4f} to {max(self.values):.4f}"

    def word(self, tolerance: float) -> str:
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
        wanted: How many seeds it is to have.
        rest: The command that runs the seeds which are missing, or empty.
    """

    row: Row
    cells: tuple[Cell, ...]
    stats: tuple[Stat, ...]
    tolerance: float
    wanted: int
    rest: str

    @property
    def first(self) -> Stat | None:
        """The metric that is compared with the paper's."""
        return self.stats[0] if self.stats else None

    @property
    def seconds(self) -> float:
        """Median wall time of `fit`."""
        return median(cell.seconds for cell in self.cells)

    @property
    def word(self) -> str:
        """The verdict in a word; empty where the paper has no number, and of quick cells."""
        return self.first.word(self.tolerance) if self.first and not self.is_quick else ""

    @property
    def is_quick(self) -> bool:
        """Whether quick cells are among its cells."""
        return any(cell.quick for cell in self.cells)

    @property
    def is_told(self) -> bool:
        """Whether there is more to say than the table says: a verdict, a note, or that it is not run."""
        return bool(self.word or self.row.note or not self.first)

    @property
    def sentence(self) -> str:
        """The verdict as a sentence; the words come from the numbers, the note from the row."""
        told = self._found(self.first) if self.first else f"not yet run: `{self.rest}`."
        return f"{told} {self.row.note}".rstrip()

    def _found(self, stat: Stat) -> str:
        count = len(stat.values)
        seeds = f"n = {count}{f' of {self.wanted} seeds' if self.rest else ''}"
        ours = f"{stat} ({seeds}{f', {stat.span}' if count > 1 else ''})"
        if self.is_quick:
            return f"{ours} by quick cells, which only show that it runs."
        if stat.paper is None:
            return f"the paper has no number; ours is {ours}."
        return f"**{self.word}**: the paper has {stat.paper:.4f}, ours is {ours}; {self._why(stat, stat.paper)}."

    def _why(self, stat: Stat, paper: float) -> str:
        if self.word == BEATEN:
            return f"our worst seed is better by {abs(stat.worst - paper):.4f}"
        if self.word == MISSED:
            return f"our best seed is worse by {abs(stat.best - paper):.4f}"
        if abs(stat.mean - paper) <= self.tolerance:
            return f"the means differ by {abs(stat.mean - paper):.4f}, and up to {self.tolerance:g} counts as met"
        return f"the means differ by {abs(stat.mean - paper):.4f}, but the paper's lies among our seeds"


def summaries(experiment: Experiment, cells: Sequence[Cell]) -> list[Summary]:
    """Return a summary of each row, from the cells that are what the rows are now."""
    ours = current(experiment, cells)
    return [_summary(experiment, row, tuple(cell for cell in ours if cell.row == row.label)) for row in experiment.rows]


def _summary(experiment: Experiment, row: Row, cells: tuple[Cell, ...]) -> Summary:
    stats = tuple(
        Stat(name=name, values=values, paper=_number(row, name))
        for name in experiment.metrics
        if (values := tuple(cell.metrics[name] for cell in cells if name in cell.metrics))
    )
    return Summary(
        row=row,
        cells=cells,
        stats=stats,
        tolerance=experiment.tolerance,
        wanted=len(experiment.seeds),
        rest=_rest(experiment, row, cells),
    )


def _number(row: Row, name: str) -> float | None:
    number = row.paper.get(name)
    return float(number) if isinstance(number, int | float) else None


def _rest(experiment: Experiment, row: Row, cells: Sequence[Cell]) -> str:
    have = {cell.seed for cell in cells}
    missing = [seed for seed in experiment.seeds if seed not in have]
    if not missing:
        return ""
    words = ["zoo", "experiment", "run", experiment.name, "--row", row.label]
    if have:
        words += ["--seeds", ",".join(map(str, missing)) + ("," if len(missing) == 1 else "")]
    return shlex.join([*words, "--device", "cuda"] if row.needs == "gpu" else words)
