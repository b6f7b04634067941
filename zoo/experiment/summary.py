"""Summarize the cells of a row over its seeds, and judge them against the paper's numbers."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev

from zoo.experiment.freshness import select_fresh_cells
from zoo.experiment.ledger import Cell
from zoo.plugins.experiment_spec import Experiment, Row
from zoo.saving.history import is_lower_better

REPRODUCED, BEATEN, MISSED = "reproduced", "beaten", "not reproduced"


@dataclass(frozen=True, kw_only=True)
class Stat:
    """A metric of a row over its seeds, and the paper's number.

    Args:
        name: Name of the metric.
        values: The value of each seed.
        paper: The paper's number, or None.
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
        """Standard deviation over the seeds; None for a single seed."""
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def best(self) -> float:
        """Value of the best seed."""
        return min(self.values) if is_lower_better(self.name) else max(self.values)

    @property
    def worst(self) -> float:
        """Value of the worst seed."""
        return max(self.values) if is_lower_better(self.name) else min(self.values)

    def __str__(self) -> str:
        return f"{self.mean:.4f}" + (f" ± {self.std:.4f}" if self.std is not None else "")

    @property
    def range_text(self) -> str:
        """The minimum and the maximum as text."""
        return f"{min(self.values):.4f} to {max(self.values):.4f}"

    def judge(self, tolerance: float) -> str:
        """Return the verdict: reproduced, beaten, not reproduced, or an empty string where the paper has no number.

        A number is reproduced if the mean is within the tolerance of it, or if it lies between two seeds.
        """
        if self.paper is None:
            return ""
        if abs(self.mean - self.paper) <= tolerance or min(self.values) <= self.paper <= max(self.values):
            return REPRODUCED
        return BEATEN if (self.mean < self.paper) == is_lower_better(self.name) else MISSED


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The cells of a row with their statistics and verdict.

    Args:
        row: The row.
        cells: The fresh cells of the row.
        stats: A `Stat` for each metric that the table shows and the cells have, in the order of the table.
        tolerance: The tolerance of the experiment.
        num_seeds: Number of seeds of the experiment.
        rest_command: The command that runs the missing seeds, or an empty string.
    """

    row: Row
    cells: tuple[Cell, ...]
    stats: tuple[Stat, ...]
    tolerance: float
    num_seeds: int
    rest_command: str

    @property
    def primary(self) -> Stat | None:
        """The first metric, which is compared with the paper; None where no cell has it."""
        return self.stats[0] if self.stats else None

    @property
    def seconds(self) -> float:
        """Median wall time of `fit`."""
        return median(cell.seconds for cell in self.cells)

    @property
    def verdict(self) -> str:
        """The verdict; an empty string where the paper has no number, and for quick cells."""
        return self.primary.judge(self.tolerance) if self.primary and not self.is_quick else ""

    @property
    def is_quick(self) -> bool:
        """Whether quick cells are among its cells."""
        return any(cell.quick for cell in self.cells)

    @property
    def has_remark(self) -> bool:
        """Whether the row needs a sentence beside the table: it has a verdict or a note, or is not run."""
        return bool(self.verdict or self.row.note or not self.primary)

    @property
    def sentence(self) -> str:
        """The verdict and the numbers as a sentence, followed by the note of the row."""
        text = self._format_stat(self.primary) if self.primary else f"not yet run: `{self.rest_command}`."
        return f"{text} {self.row.note}".rstrip()

    def _format_stat(self, stat: Stat) -> str:
        count = len(stat.values)
        seeds = f"n = {count}{f' of {self.num_seeds} seeds' if self.rest_command else ''}"
        measured = f"{stat} ({seeds}{f', {stat.range_text}' if count > 1 else ''})"
        if self.is_quick:
            return f"{measured} by quick cells, which only show that the experiment runs."
        if stat.paper is None:
            return f"the paper has no number; zoo has {measured}."
        reason = self._explain_verdict(stat, stat.paper)
        return f"**{self.verdict}**: the paper has {stat.paper:.4f}, zoo has {measured}; {reason}."

    def _explain_verdict(self, stat: Stat, paper: float) -> str:
        if self.verdict == BEATEN:
            return f"zoo's worst seed is better by {abs(stat.worst - paper):.4f}"
        if self.verdict == MISSED:
            return f"zoo's best seed is worse by {abs(stat.best - paper):.4f}"
        if abs(stat.mean - paper) <= self.tolerance:
            return (
                f"the means differ by {abs(stat.mean - paper):.4f}, and up to {self.tolerance:g} counts as reproduced"
            )
        return f"the means differ by {abs(stat.mean - paper):.4f}, but the paper's number lies between zoo's seeds"


def summarize_rows(experiment: Experiment, cells: Sequence[Cell]) -> list[Summary]:
    """Return a summary of each row, from its fresh cells."""
    fresh = select_fresh_cells(experiment, cells)
    return [
        _summarize_row(experiment, row, tuple(cell for cell in fresh if cell.row == row.label))
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
    finished_seeds = {cell.seed for cell in cells}
    missing = [seed for seed in experiment.seeds if seed not in finished_seeds]
    if not missing:
        return ""
    arguments = ["zoo", "experiment", "run", experiment.name, "--row", row.label]
    if finished_seeds:
        arguments += ["--seeds", ",".join(map(str, missing)) + ("," if len(missing) == 1 else "")]
    return shlex.join([*arguments, "--device", "cuda"] if row.needs == "gpu" else arguments)
