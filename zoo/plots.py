"""Pictures of training and of scores, as matplotlib figures: the one door to matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.history import History
from zoo.metrics import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _figure(width: float, height: float) -> Figure:
    """Return an empty figure that needs no display and no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def curves(histories: Mapping[str, History], *, paper: Mapping[str, tuple[float, ...]] | None = None) -> Figure:
    """Return loss and accuracy by epoch, the histories laid over each other.

    Args:
        histories: Histories by label.
        paper: Published losses by label, drawn as dots.
    """
    figure = _figure(10, 4)
    for axes, column in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for place, (label, history) in enumerate(histories.items()):
            epochs = [row["epoch"] for row in history]
            for name, style in ((column, "-"), (f"val_{column}", "--")):
                if name in history.columns:
                    axes.plot(
                        epochs,
                        history[name],
                        style,
                        color=f"C{place % 10}",
                        label=label if name == column else f"{label}, held out",
                    )
        for label, values in (paper or {}).items() if column == "loss" else ():
            axes.plot(range(1, len(values) + 1), values, "k.", label=label)
        axes.set(xlabel="epoch", ylabel=column)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize="small")
    return figure


def confusion(result: Evaluation) -> Figure:
    """Return the confusion matrix: rows are true classes, columns what they were taken for, in % of the row."""
    names = [score.name for score in result.classes]
    side = max(4.0, 0.55 * len(names) + 2)
    figure = _figure(side + 1, side)
    axes = figure.subplots()
    shares = [[100 * n / max(sum(row), 1) for n in row] for row in result.confusion]
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="taken for", ylabel="class", title=f"accuracy {result.accuracy:.4f} on {result.count} images")
    if len(names) <= 20:
        for i, row in enumerate(shares):
            for j, share in enumerate(row):
                axes.text(
                    j, i, f"{share:.0f}", ha="center", va="center", fontsize=8, color="white" if share > 50 else "black"
                )
    figure.colorbar(picture, label="% of the class", shrink=0.8)
    return figure


def write(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, SVG or PDF, by the path's suffix."""
    figure.savefig(path, dpi=120)
