"""Plot accuracy against the strength of a change of the images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.plots.style import MAX_LEGEND_INSIDE, MUTED_COLOUR, line_style, new_figure, set_title, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AccuraciesByStrength = Mapping[float, tuple[float, ...]]
"""The accuracies of the seeds, by strength of the change."""


def plot_robustness(
    models: Mapping[str, AccuraciesByStrength], *, change: str, unit: str, chance: float | None = None, title: str = ""
) -> Figure:
    """Plot accuracy against the strength of a change: the mean over seeds, in a band from minimum to maximum.

    Args:
        models: By label, the accuracies in [0, 1] of the seeds by strength.
        change: Name of the change, such as `rotation`.
        unit: Unit of the strength, such as `degrees`.
        chance: Accuracy of guessing, shown as a line.
        title: Title of the figure; it names the change by default.

    Raises:
        ConfigError: There is no model, or a model has no accuracy.
    """
    if not models or not all(points and all(points.values()) for points in models.values()):
        raise ConfigError("there is nothing to plot: give each model the accuracies of its seeds by strength")
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    for index, (label, points) in enumerate(models.items()):
        _draw_model(axes, label, points, index)
    if chance is not None:
        axes.axhline(chance, color=MUTED_COLOUR, linewidth=1, linestyle=(0, (1, 2)), label="guessing")
    style_axes(axes)
    axes.set(xlabel=f"{change} in {unit}", ylabel="accuracy", ylim=(0, 1))
    set_title(axes, title or f"accuracy under {change}")
    if len(models) <= MAX_LEGEND_INSIDE:
        axes.legend(frameon=False, fontsize=8.5)
    else:
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)
    return figure


def _draw_model(axes: Axes, label: str, points: AccuraciesByStrength, index: int) -> None:
    """Plot the mean of a model's accuracies as a line over the band from minimum to maximum."""
    style, strengths = line_style(index), sorted(points)
    accuracies = [points[strength] for strength in strengths]
    low, high = [min(each) for each in accuracies], [max(each) for each in accuracies]
    axes.fill_between(strengths, low, high, color=style.color, alpha=0.15, lw=0)
    axes.plot(
        strengths,
        [sum(each) / len(each) for each in accuracies],
        color=style.color,
        linestyle=style.linestyle,
        marker=style.marker,
        markersize=5,
        linewidth=1.6,
        label=f"{label} (n={min(len(each) for each in accuracies)})",
    )
