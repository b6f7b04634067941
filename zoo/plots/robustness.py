"""Curves of accuracy under a growing change of the images, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.plots.style import MUTED_COLOUR, line_style, new_figure, set_title, style_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_LEGEND_INSIDE = 3
"""Most models whose names stand among the curves; those of more stand below."""
AccuraciesByStrength = Mapping[float, tuple[float, ...]]
"""By strength of the change: the accuracy of each seed."""


def plot_robustness(
    models: Mapping[str, AccuraciesByStrength], *, change: str, unit: str, chance: float | None = None, title: str = ""
) -> Figure:
    """Return accuracy against the strength of a change: the mean over seeds, and the band from the least to the most.

    Args:
        models: By label, the accuracies in [0, 1] of each seed by strength.
        change: What is done to the images, such as `rotation`.
        unit: What the strength is counted in, such as `degrees`.
        chance: Accuracy of guessing, drawn as a line.
        title: What stands above; the change when left out.

    Raises:
        ConfigError: There is nothing to draw.
    """
    if not models or not all(points and all(points.values()) for points in models.values()):
        raise ConfigError("there is nothing to draw: give each model the accuracies of its seeds by strength")
    drawn = new_figure(6.4, 4.2)
    axes = drawn.subplots()
    for place, (label, points) in enumerate(models.items()):
        look, strengths = line_style(place), sorted(points)
        runs = [points[strength] for strength in strengths]
        axes.fill_between(strengths, [min(r) for r in runs], [max(r) for r in runs], color=look.color, alpha=0.15, lw=0)
        axes.plot(
            strengths,
            [sum(each) / len(each) for each in runs],
            color=look.color,
            linestyle=look.linestyle,
            marker=look.marker,
            markersize=5,
            linewidth=1.6,
            label=f"{label} (n={min(len(each) for each in runs)})",
        )
    if chance is not None:
        axes.axhline(chance, color=MUTED_COLOUR, linewidth=1, linestyle=(0, (1, 2)), label="guessing")
    style_axes(axes)
    axes.set(xlabel=f"{change} in {unit}", ylabel="accuracy", ylim=(0, 1))
    set_title(axes, title or f"accuracy under {change}")
    if len(models) <= MAX_LEGEND_INSIDE:
        axes.legend(frameon=False, fontsize=8.5)
    else:
        drawn.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)
    return drawn
