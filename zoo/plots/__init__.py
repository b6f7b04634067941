"""Pictures of training, of scores and of images, as matplotlib figures; none is shown, each is returned."""

from zoo.plots.curves import curves
from zoo.plots.image_grid import pictures
from zoo.plots.robustness import robustness
from zoo.plots.scores import classes, confusion
from zoo.plots.style import write
from zoo.plots.table import Entry, table

__all__ = ["Entry", "classes", "confusion", "curves", "pictures", "robustness", "table", "write"]
