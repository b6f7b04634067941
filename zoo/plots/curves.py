"""Plot learning curves of one or several runs over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.plots.style import MARKERS, MAX_LEGEND_INSIDE, TEXT_COLOUR, line_style, new_figure, set_title, style_axes
from zoo.saving.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = (
    ("loss", ("loss",)),
    ("accuracy", ("accuracy",)),
    ("losses", ("discriminator_loss", "generator_loss")),
    ("fraction classified as real", ("real_as_real", "drawn_as_real")),
)
"""Panels of the figure: a title, and the columns of the history that it shows, where there are any."""
SERIES_LABELS = {
    "discriminator_loss": "discriminator",
    "generator_loss": "generator",
    "real_as_real": "real images",
    "drawn_as_real": "generated images",
}


def plot_curves(histories: Mapping[str, History], *, paper: Mapping[str, Sequence[float]] | None = None) -> Figure:
    """Plot the curves of training: loss and accuracy of classifiers, both losses of generators.

    Scores on training images have a solid line, scores on validation images a dashed one.

    Args:
        histories: Histories by label.
        paper: Published losses by label, plotted as marks without a line.

    Raises:
        ConfigError: No history has an epoch.
    """
    panels = [panel for panel in PANELS if any(set(panel[1]) & set(each.columns) for each in histories.values())]
    if not panels:
        raise ConfigError("there is nothing to plot: no epoch is trained; fit the model first")
    figure = new_figure(5.2 * len(panels), 3.8)
    for axes, (name, columns) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, columns, histories)
        for marker, (label, values) in zip(MARKERS, (paper or {}).items() if name == "loss" else (), strict=False):
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, marker, color=TEXT_COLOUR, markerfacecolor="none", markersize=5, label=label)
        style_axes(axes, grid="both")
        set_title(axes, name)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if len(histories) <= MAX_LEGEND_INSIDE:
            axes.legend(frameon=False, fontsize=8.5)
    if len(histories) > MAX_LEGEND_INSIDE:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8.5)
    return figure


def _draw_panel(axes: Axes, columns: Sequence[str], histories: Mapping[str, History]) -> None:
    """Plot the columns of every history; each pair of history and column has its own line style."""
    index = 0
    for label, history in histories.items():
        for column in columns:
            line_label = ", ".join(part for part in (label, SERIES_LABELS.get(column, "")) if part)
            if column in history.columns:
                _draw_line(axes, history, column, line_label, index, "-")
            if f"val_{column}" in history.columns:
                _draw_line(axes, history, f"val_{column}", f"{line_label}, validation", index, "--")
            index += 1


def _draw_line(axes: Axes, history: History, column: str, label: str, index: int, dashes: str) -> None:
    style = line_style(index)
    rows = [(row["epoch"], row[column]) for row in history if row.get(column) is not None]
    epochs, values = zip(*rows, strict=True)
    mark_interval = max(1, len(rows) // 8)
    axes.plot(
        epochs,
        values,
        color=style.color,
        linestyle=dashes,
        marker=style.marker,
        markevery=(index % mark_interval, mark_interval),
        markersize=4.5,
        markerfacecolor="white" if dashes == "--" else style.color,
        linewidth=1.6,
        label=label,
    )
