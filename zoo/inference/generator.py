"""A generator: it draws images, by number or by class."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data import Images
from zoo.data.arrays import to_uint8_images
from zoo.errors import ConfigError, LabelError, join_names
from zoo.inference.base import ModelLike
from zoo.inference.runner import run_batches
from zoo.metrics.classification import Evaluation
from zoo.seeding import check_seed, make_generator
from zoo.tasks import Generation
from zoo.tasks.generation import make_codes, one_hot

DEFAULT_SEED = 0
"""The same question gets the same images, unless another seed is given."""


@final
class GeneratorPredictor:
    """What a model that learns `generation` does."""

    def describe(self, model: ModelLike) -> str:
        """Return in words what goes in and what comes out."""
        height, width = model.preprocessing.size
        asked = f"{len(model.classes)} classes" if _num_labels(model) else "noise"
        return f"{asked} to {model.preprocessing.channels} x {height} x {width}"

    def logits(self, model: ModelLike, images: Any) -> Tensor:
        """Raise: a generator has no logits."""
        raise ConfigError(f"{model.spec.name} draws images and labels none; predict(16) draws 16")

    def features(self, model: ModelLike, images: Any) -> NDArray[np.float32]:
        """Raise: a generator finds nothing in images."""
        raise ConfigError(f"{model.spec.name} draws images and has no features of them; ask a classifier")

    def predict(self, model: ModelLike, images: Any, seed: int | None) -> NDArray[Any]:
        """Return images uint8 (N, C, H, W): so many, or one of each label that is asked for."""
        indices = _to_class_indices(model, images)
        pixels: NDArray[Any] = _sample_pixels(model, indices, DEFAULT_SEED if seed is None else seed).numpy()
        return pixels

    def sample(self, model: ModelLike, count_or_labels: Any, seed: int) -> Images:
        """Return labelled images: so many, the classes by turns, or one of each label that is asked for.

        Raises:
            ConfigError: The model knows no classes, so its images have no labels.
        """
        if not _num_labels(model):
            raise ConfigError(
                f"{model.spec.name} was made with conditional=False: its images have no labels; label those of "
                "predict(...) with a classifier, or create it with conditional=True"
            )
        indices = _to_class_indices(model, count_or_labels)
        return Images(_sample_pixels(model, indices, seed), indices, model.classes, name=f"{model.spec.name}/drawn")

    def evaluate(self, model: ModelLike, data: Any, *, top_k: int, store: bool) -> Evaluation:
        """Raise: drawn images have no right answer; they are compared as a whole."""
        raise ConfigError(
            f"{model.spec.name} draws images; zoo.fidelity.fidelity(model, images) compares them with real ones"
        )


def _num_labels(model: ModelLike) -> int:
    net: Any = model.net
    return int(net.generator.num_labels)


def _to_class_indices(model: ModelLike, count_or_labels: Any) -> Tensor:
    """Return class indices int64 (N) for a number of images, the classes by turns, or for labels."""
    if isinstance(count_or_labels, int | np.integer) and not isinstance(count_or_labels, bool):
        if count_or_labels < 1:
            raise ConfigError(f"the number of images to draw is at least 1, not {count_or_labels}")
        return torch.arange(int(count_or_labels)) % len(model.classes)
    labels = count_or_labels.tolist() if isinstance(count_or_labels, Tensor | np.ndarray) else count_or_labels
    if not isinstance(labels, list | tuple) or not labels:
        raise ConfigError(
            f"{model.spec.name} draws a number of images, or one of each of some labels, not {count_or_labels!r}"
        )
    if not _num_labels(model):
        raise ConfigError(f"{model.spec.name} was made with conditional=False and knows no labels; ask for a number")
    place = {value: index for index, value in enumerate(model.classes.values)}
    strange = [label for label in labels if isinstance(label, list | dict) or label not in place]
    if strange:
        raise LabelError(f"label {join_names(map(repr, strange), 5)} is none of {join_names(model.classes.values)}")
    return torch.tensor([place[label] for label in labels])


def _sample_pixels(model: ModelLike, indices: Tensor, seed: int) -> Tensor:
    """Return images uint8 (N, C, H, W) on the CPU."""
    check_seed(seed)
    net: Any = model.net
    labels = one_hot(indices, net.generator).float().cpu()
    codes = make_codes(labels, net.generator, make_generator(seed, "draw"))
    return to_uint8_images(run_batches(model.net, Generation(model.preprocessing), codes))
