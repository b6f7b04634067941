"""How all figures look: colours apart for every eye, and lines apart in grey too. The door to matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zoo.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito 2008, strongest first: apart for every kind of colour vision."""
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TEXT_COLOUR, MUTED_COLOUR, GRID_COLOUR = "#222222", "#666666", "#dddddd"
SUFFIXES = (".png", ".svg", ".pdf")


class LineStyle(NamedTuple):
    """How the line of one thing looks."""

    color: str
    marker: str
    linestyle: str | tuple[int, tuple[float, ...]]


def line_style(index: int) -> LineStyle:
    """Return the look of the thing at a place, from 0: a colour and marker of its own, dashes from the eighth on."""
    return LineStyle(
        COLOURS[index % len(COLOURS)],
        MARKERS[index % len(MARKERS)],
        DASHES[index // len(COLOURS) % len(DASHES)],  # type: ignore[arg-type]
    )


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches, that needs no display and no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(made)
    return made


def style_axes(axes: Axes, *, grid: str = "y") -> Axes:
    """Return axes with two spines, quiet ticks and a faint grid along `x`, `y`, `both` or none (an empty word)."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID_COLOUR)
    axes.tick_params(color=GRID_COLOUR, labelcolor=TEXT_COLOUR, labelsize=9)
    axes.xaxis.label.set(color=MUTED_COLOUR, size=9)
    axes.yaxis.label.set(color=MUTED_COLOUR, size=9)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID_COLOUR, linewidth=0.7)  # type: ignore[arg-type]
    return axes


def set_title(axes: Axes, title: str) -> None:
    """Write a title at the left, where reading begins."""
    axes.set_title(title, loc="left", fontsize=10.5, color=TEXT_COLOUR, fontweight="bold", pad=8)


def set_figure_title(figure: Figure, title: str) -> None:
    """Write a title over a whole figure, beginning at its left edge."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, color=TEXT_COLOUR, fontweight="bold")


def save_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG, SVG or PDF, by the path's suffix.

    Raises:
        ConfigError: The suffix is another one, or the file cannot be written.
    """
    place = Path(path)
    if place.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{place} ends in {place.suffix or 'nothing'}; a figure is written to .png, .svg or .pdf")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(place, dpi=150)
    except OSError as error:
        raise ConfigError(f"{place} cannot be written: {error.strerror or error}") from error
