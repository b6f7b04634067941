"""Plot grids of images with their true and predicted classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import Images
from zoo.errors import ConfigError
from zoo.plots.style import COLOURS, MUTED_COLOUR, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Predictions = Sequence[int | str] | NDArray[Any]
"""The predicted class of each image, as `predict` returns it."""
MAX_NAME_LENGTH = 14
"""Most letters of a name under an image."""


def plot_images(images: Images, *, predicted: Predictions | None = None, columns: int = 8) -> Figure:
    """Plot a grid of images with their class names; a wrong prediction has a frame, and both names under it.

    Args:
        images: The images to plot.
        predicted: The predicted class of each image, as `predict` returns it.
        columns: Number of images in a row.

    Raises:
        ConfigError: There are not as many predictions as images, or one is not a class of these images.
    """
    names = _predicted_names(images, predicted)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(1.15 * columns, (1.5 if predicted is not None else 1.36) * rows)
    axes_grid = figure.subplots(rows, columns, squeeze=False).ravel()
    pixels = images.images.cpu().permute(0, 2, 3, 1).squeeze(3).numpy()
    for axes in axes_grid:
        axes.set_axis_off()
    true = [images.classes.names[k] for k in images.labels.tolist()]
    for index, axes in enumerate(axes_grid[: len(images)]):
        axes.imshow(pixels[index], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        _write_caption(axes, true[index], None if names is None else names[index])
    return figure


def _predicted_names(images: Images, predicted: Predictions | None) -> list[str] | None:
    if predicted is None:
        return None
    predictions = predicted.tolist() if isinstance(predicted, np.ndarray) else list(predicted)
    if len(predictions) != len(images):
        raise ConfigError(f"there are {len(images)} images and {len(predictions)} predictions; pass one for each image")
    name_of = dict(zip(images.classes.values, images.classes.names, strict=True))
    unknown = [prediction for prediction in predictions if prediction not in name_of]
    if unknown:
        raise ConfigError(f"{unknown[0]!r} is not a class of these images; pass what predict returned for them")
    return [name_of[prediction] for prediction in predictions]


def _write_caption(axes: Axes, true: str, predicted: str | None) -> None:
    """Write the class under an image; a wrong prediction is bold and has a frame, which is visible in grey too."""
    if predicted is None or predicted == true:
        axes.set_title(_shorten(true), fontsize=8, color=MUTED_COLOUR, y=-0.2)
        return
    axes.set_title(
        f"{_shorten(predicted)}\n(is {_shorten(true)})", fontsize=8, color=COLOURS[1], fontweight="bold", y=-0.36
    )
    axes.set_axis_on()
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color=COLOURS[1], linewidth=2.2)


def _shorten(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1]}…"
