"""Plot the scores of a classifier: its confusion matrix, and its scores by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.metrics.classification import Evaluation
from zoo.plots.style import COLOURS, MUTED_COLOUR, TEXT_COLOUR, new_figure, set_title, style_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_ANNOTATED_CLASSES = 20
"""Most classes whose percentages are written into the matrix."""


def plot_confusion_matrix(result: Evaluation) -> Figure:
    """Plot a confusion matrix: rows are true classes, columns predicted classes, in % of the row."""
    names = [score.name for score in result.per_class]
    return plot_confusion_counts(
        result.confusion, names, title=f"accuracy {result.accuracy:.4f} on {result.count:,} images"
    )


def plot_confusion_counts(counts: Sequence[Sequence[int]], names: Sequence[str], *, title: str) -> Figure:
    """Plot a confusion matrix from counts: counts[i][j] images of class i were predicted as class j."""
    side = max(3.8, 0.52 * len(names) + 1.6)
    figure = new_figure(side + 0.9, side)
    axes = figure.subplots()
    percentages = [[100 * n / max(sum(row), 1) for n in row] for row in counts]
    image = axes.imshow(percentages, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    style_axes(axes, grid="").spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    axes.set(xlabel="predicted class", ylabel="true class")
    set_title(axes, title)
    if len(names) <= MAX_ANNOTATED_CLASSES:
        for i, row in enumerate(percentages):
            for j, value in enumerate(row):
                color = "white" if value > 55 else TEXT_COLOUR if value >= 0.5 else "#b8c4d0"
                axes.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=8, color=color)
    bar = figure.colorbar(image, label="% of the class", shrink=0.75)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(length=0, labelsize=8, labelcolor=MUTED_COLOUR)
    return figure


def plot_class_scores(result: Evaluation) -> Figure:
    """Plot a bar of F1 for each class, with marks for precision and recall; the worst class is at the top."""
    scores = sorted(result.per_class, key=lambda score: -score.f1)  # the last one is at the top
    figure = new_figure(6.4, 0.34 * len(scores) + 1.6)
    axes = figure.subplots()
    positions = range(len(scores))
    axes.barh(positions, [score.f1 for score in scores], height=0.62, color="#a9cbe3", label="F1")
    for marker, name, color in (("<", "precision", COLOURS[1]), (">", "recall", COLOURS[0])):
        values = [getattr(score, name) for score in scores]
        axes.plot(values, positions, marker, color=color, markersize=6, label=name, clip_on=False)
    axes.set_yticks(positions, [score.name for score in scores])
    for position, score in enumerate(scores):
        axes.text(0.012, position, f"{score.f1:.3f}", va="center", fontsize=8.5, color=TEXT_COLOUR)
    axes.set_xlim(0, 1)
    style_axes(axes, grid="x")
    axes.tick_params(axis="y", length=0)
    set_title(axes, f"macro F1 {result.macro_f1:.4f} on {result.count:,} images")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)
    return figure
