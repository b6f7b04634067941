"""Learning curves: what each epoch came to, several runs laid over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.history import History
from zoo.plots.style import MARKERS, TEXT_COLOUR, line_style, new_figure, set_title, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = (
    ("loss", ("loss",)),
    ("accuracy", ("accuracy",)),
    ("losses", ("discriminator_loss", "generator_loss")),
    ("share taken for real", ("real_as_real", "drawn_as_real")),
)
"""What is drawn of a history, where it has it: the panel's name, and its columns."""
MAX_LEGEND_INSIDE = 3
"""Most histories whose names stand inside each panel; those of more stand once, below all panels."""
SERIES_LABELS = {
    "discriminator_loss": "discriminator",
    "generator_loss": "generator",
    "real_as_real": "real images",
    "drawn_as_real": "drawn images",
}


def plot_curves(histories: Mapping[str, History], *, paper: Mapping[str, Sequence[float]] | None = None) -> Figure:
    """Return the curves of training: loss and accuracy of classifiers, both losses of generators.

    Training is drawn with a full line, held-out images with a dashed one.

    Args:
        histories: Histories by label.
        paper: Published losses by label, drawn as marks without a line.

    Raises:
        ConfigError: No history has an epoch.
    """
    panels = [panel for panel in PANELS if any(set(panel[1]) & set(each.columns) for each in histories.values())]
    if not panels:
        raise ConfigError("there is nothing to draw: no epoch is trained; fit the model first")
    drawn = new_figure(5.2 * len(panels), 3.8)
    for axes, (name, columns) in zip(drawn.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
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
        handles, labels = drawn.axes[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8.5)
    return drawn


def _draw_panel(axes: Axes, columns: Sequence[str], histories: Mapping[str, History]) -> None:
    """Draw the columns of every history; with several columns each is told by its own look."""
    place = 0
    for label, history in histories.items():
        for column in columns:
            told = ", ".join(word for word in (label, SERIES_LABELS.get(column, "")) if word)
            for name, style in ((column, "-"), (f"val_{column}", "--")):
                if name in history.columns:
                    _draw_line(axes, history, name, told if name == column else f"{told}, held out", place, style)
            place += 1


def _draw_line(axes: Axes, history: History, column: str, label: str, index: int, style: str) -> None:
    look = line_style(index)
    rows = [(row["epoch"], row[column]) for row in history if row.get(column) is not None]
    epochs, values = zip(*rows, strict=True)
    every = max(1, len(rows) // 8)
    axes.plot(
        epochs,
        values,
        color=look.color,
        linestyle=style,
        marker=look.marker,
        markevery=(index % every, every),
        markersize=4.5,
        markerfacecolor="white" if style == "--" else look.color,
        linewidth=1.6,
        label=label,
    )
