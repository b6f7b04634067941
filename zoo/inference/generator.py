"""Generate images with a generator, by number or by class."""

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
from zoo.signature import Classes
from zoo.tasks import Generation
from zoo.tasks.generation import make_codes, one_hot

UNCONDITIONAL_CLASSES = Classes.of([0], ["sample"])
"""The one class of images from a generator that has no classes."""


@final
class GeneratorPredictor:
    """The predictor of generation."""

    def describe(self, model: ModelLike) -> str:
        """Describe input and output, such as `10 classes to 1 x 28 x 28`."""
        height, width = model.preprocessing.size
        inputs = f"{len(model.classes)} classes" if _is_conditional(model) else "noise"
        return f"{inputs} to {model.preprocessing.channels} x {height} x {width}"

    def logits(self, model: ModelLike, images: Any) -> Tensor:
        """Raise a `ConfigError`: a generator has no logits."""
        raise ConfigError(f"{model.spec.name} is a generator and has no logits; use model.sample(16)")

    def features(self, model: ModelLike, images: Any) -> NDArray[np.float32]:
        """Raise a `ConfigError`: a generator does not read images."""
        raise ConfigError(f"{model.spec.name} is a generator and has no features of images; use a classifier")

    def predict(self, model: ModelLike, images: Any) -> NDArray[Any]:
        """Raise a `ConfigError`: a generator does not label images."""
        raise ConfigError(f"{model.spec.name} is a generator and does not label images; use model.sample(16)")

    def sample(self, model: ModelLike, count_or_labels: Any, seed: int) -> Images:
        """Return generated images with their labels.

        Args:
            model: The generator.
            count_or_labels: A number of images, whose labels cycle through the classes; or the label of each image.
            seed: Seed of the noise.

        Returns:
            Images uint8 (N, C, H, W). Those of a generator without classes all have label 0, of a class named `sample`.

        Raises:
            ConfigError: The number is not positive, or labels are given to a generator without classes.
            LabelError: A label is not one of the model's classes.
        """
        indices = _to_class_indices(model, count_or_labels)
        pixels, name = _sample_pixels(model, indices, seed), f"{model.spec.name}/drawn"
        if _is_conditional(model):
            return Images(pixels, indices, model.classes, name=name)
        return Images(pixels, torch.zeros_like(indices), UNCONDITIONAL_CLASSES, name=name)

    def evaluate(self, model: ModelLike, data: Any, *, top_k: int, store: bool) -> Evaluation:
        """Raise a `ConfigError`: generated images have no correct label; they are compared as a set."""
        raise ConfigError(
            f"{model.spec.name} is a generator and has no accuracy; zoo.fidelity.fidelity(model, images) compares its "
            "images with real ones"
        )


def _is_conditional(model: ModelLike) -> bool:
    """Return whether a generator has classes."""
    net: Any = model.net
    return int(net.generator.num_labels) > 0


def _to_class_indices(model: ModelLike, count_or_labels: Any) -> Tensor:
    """Return class indices int64 (N) for a number of images, which cycle through the classes, or for labels."""
    if isinstance(count_or_labels, int | np.integer) and not isinstance(count_or_labels, bool):
        if count_or_labels < 1:
            raise ConfigError(f"the number of images to sample is at least 1, not {count_or_labels}")
        return torch.arange(int(count_or_labels)) % len(model.classes)
    labels = count_or_labels.tolist() if isinstance(count_or_labels, Tensor | np.ndarray) else count_or_labels
    if not isinstance(labels, list | tuple) or not labels:
        raise ConfigError(f"sample takes a number of images, or a list of labels, not {count_or_labels!r}")
    if not _is_conditional(model):
        raise ConfigError(f"{model.spec.name} was made with conditional=False and has no labels; pass a number")
    index_of = {value: index for index, value in enumerate(model.classes.values)}
    unknown = [label for label in labels if isinstance(label, list | dict) or label not in index_of]
    if unknown:
        raise LabelError(
            f"label {join_names(map(repr, unknown), 5)} is not one of the classes {join_names(model.classes.values)}"
        )
    return torch.tensor([index_of[label] for label in labels])


def _sample_pixels(model: ModelLike, indices: Tensor, seed: int) -> Tensor:
    """Return images uint8 (N, C, H, W) on the CPU for class indices (N)."""
    check_seed(seed)
    net: Any = model.net
    labels = one_hot(indices, net.generator).float().cpu()
    codes = make_codes(labels, net.generator, make_generator(seed, "draw"))
    return to_uint8_images(run_batches(model.net, Generation(model.preprocessing), codes))
