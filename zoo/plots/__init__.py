"""Plot training curves, scores and images. Every function returns a matplotlib figure and shows nothing."""

from zoo.plots.curves import plot_curves
from zoo.plots.image_grid import plot_images
from zoo.plots.robustness import plot_robustness
from zoo.plots.scores import plot_class_scores, plot_confusion_matrix
from zoo.plots.style import save_figure
from zoo.plots.table import TableEntry, plot_table

__all__ = [
    "TableEntry",
    "plot_class_scores",
    "plot_confusion_matrix",
    "plot_curves",
    "plot_images",
    "plot_robustness",
    "plot_table",
    "save_figure",
]
