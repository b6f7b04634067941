"""Plot a paper's table as a chart: its numbers beside those of zoo, with a mark for every seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from textwrap import fill
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.plots.style import COLOURS, MUTED_COLOUR, TEXT_COLOUR, new_figure, set_figure_title, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class TableEntry:
    """A row of a table: its label, the score of each seed, and the paper's score or None."""

    label: str
    scores: tuple[float, ...] = ()
    paper_score: float | None = None


def plot_table(entries: Sequence[TableEntry], *, title: str, metric: str = "test accuracy") -> Figure:
    """Plot a table as a chart, with the first row at the top; a row without scores is marked "not run".

    Raises:
        ConfigError: There is no row, or no row has a number.
    """
    numbers = [
        number
        for entry in entries
        for number in (*entry.scores, *([] if entry.paper_score is None else [entry.paper_score]))
    ]
    if not numbers:
        raise ConfigError("there is nothing to plot: no row has a score")
    figure = new_figure(7.0, 0.42 * len(entries) + 1.7)
    axes = figure.subplots()
    margin = 0.06 * (max(numbers) - min(numbers) or 0.1)
    low, high = min(numbers) - margin, max(numbers) + margin
    for position, entry in enumerate(reversed(entries)):
        _draw_entry(axes, entry, position)
        if not entry.scores:
            text = axes.text(low + margin / 2, position, "not run", va="center", fontsize=8.5, color=MUTED_COLOUR)
            text.set_fontstyle("italic")
    axes.set_yticks(range(len(entries)), [_entry_label(entry) for entry in reversed(entries)])
    axes.set(xlim=(low, high), ylim=(-0.6, len(entries) - 0.4), xlabel=metric)
    style_axes(axes, grid="x").tick_params(axis="y", length=0, labelcolor=TEXT_COLOUR)
    set_figure_title(figure, fill(title, 78))
    axes.plot([], [], "o", color=COLOURS[0], markersize=4, label="zoo, one seed")
    axes.plot([], [], "|", color=COLOURS[0], markersize=12, mew=2.2, label="zoo, mean")
    if any(entry.paper_score is not None for entry in entries):
        axes.plot([], [], "D", color=COLOURS[1], markersize=7, markerfacecolor="none", mew=1.8, label="paper")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)
    return figure


def _draw_entry(axes: Axes, entry: TableEntry, position: int) -> None:
    """Draw the scores of a row as dots over their range, the mean as a tick, and the paper's score as a diamond."""
    if entry.scores:
        span = [min(entry.scores), max(entry.scores)]
        axes.plot(span, [position, position], color="#a9cbe3", linewidth=6, zorder=1)
        dots = [position] * len(entry.scores)
        axes.plot(entry.scores, dots, "o", color=COLOURS[0], markersize=4, alpha=0.7, zorder=2)
        axes.plot(mean(entry.scores), position, "|", color=COLOURS[0], markersize=15, markeredgewidth=2.2, zorder=3)
    if entry.paper_score is not None:
        axes.plot(entry.paper_score, position, "D", color=COLOURS[1], markersize=7, mfc="none", mew=1.8, zorder=4)


def _entry_label(entry: TableEntry) -> str:
    return f"{entry.label} (n={len(entry.scores)})" if entry.scores else entry.label
