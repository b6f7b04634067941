"""Grids of images, with what they are and what a model took them for."""

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
"""What a model took each image for, as `predict` returns it."""
MAX_NAME_LENGTH = 14
"""Letters of a name that fit under an image."""


def plot_images(images: Images, *, predicted: Predictions | None = None, columns: int = 8) -> Figure:
    """Return a grid of images with their class names; a wrong answer is told in words under a frame.

    Args:
        images: What is drawn.
        predicted: What a model took each for, as `predict` returns it.
        columns: Images a row.

    Raises:
        ConfigError: There are not as many answers as images, or an answer is no class of theirs.
    """
    names = _predicted_names(images, predicted)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    drawn = new_figure(1.15 * columns, (1.5 if predicted is not None else 1.36) * rows)
    places = drawn.subplots(rows, columns, squeeze=False).ravel()
    pixels = images.images.cpu().permute(0, 2, 3, 1).squeeze(3).numpy()
    for axes in places:
        axes.set_axis_off()
    true = [images.classes.names[k] for k in images.labels.tolist()]
    for place, axes in enumerate(places[: len(images)]):
        axes.imshow(pixels[place], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        _write_caption(axes, true[place], None if names is None else names[place])
    return drawn


def _predicted_names(images: Images, predicted: Predictions | None) -> list[str] | None:
    if predicted is None:
        return None
    answers = predicted.tolist() if isinstance(predicted, np.ndarray) else list(predicted)
    if len(answers) != len(images):
        raise ConfigError(f"there are {len(images)} images and {len(answers)} answers; each image has one")
    known = dict(zip(images.classes.values, images.classes.names, strict=True))
    strange = [answer for answer in answers if answer not in known]
    if strange:
        raise ConfigError(f"the answer {strange[0]!r} is no class of these images; give what predict returned for them")
    return [known[answer] for answer in answers]


def _write_caption(axes: Axes, true: str, predicted: str | None) -> None:
    """Write the class under an image, and a wrong answer in bold with a frame, which shows in grey too."""
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
