"""Style all figures: colours for every kind of colour vision, and lines that differ in grey too. Door: matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zoo.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""The palette of Okabe and Ito 2008, strongest first; its colours differ for every kind of colour vision."""
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TEXT_COLOUR, MUTED_COLOUR, GRID_COLOUR = "#222222", "#666666", "#dddddd"
SUFFIXES = (".png", ".svg", ".pdf")
MAX_LEGEND_INSIDE = 3
"""Most entries of a legend inside the axes; a longer legend stands below the figure."""


class LineStyle(NamedTuple):
    """Colour, marker and dashes of one line."""

    color: str
    marker: str
    linestyle: str | tuple[int, tuple[float, ...]]


def line_style(index: int) -> LineStyle:
    """Return the style of line `index`, from 0: its own colour and marker, and dashes from the eighth on."""
    return LineStyle(
        COLOURS[index % len(COLOURS)],
        MARKERS[index % len(MARKERS)],
        DASHES[index // len(COLOURS) % len(DASHES)],  # type: ignore[arg-type]
    )


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, sizes in inches; it needs no display and no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: Axes, *, grid: str = "y") -> Axes:
    """Give axes two spines, grey ticks and a faint grid along `x`, `y` or `both`; an empty string gives no grid."""
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
    """Set a title at the left of the axes."""
    axes.set_title(title, loc="left", fontsize=10.5, color=TEXT_COLOUR, fontweight="bold", pad=8)


def set_figure_title(figure: Figure, title: str) -> None:
    """Set a title above a whole figure, at its left edge."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, color=TEXT_COLOUR, fontweight="bold")


def save_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG, SVG or PDF, by the path's suffix.

    Raises:
        ConfigError: The suffix is not supported, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path} ends in {path.suffix or 'nothing'}; a figure is written to .png, .svg or .pdf")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
