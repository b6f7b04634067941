"""Read labelled images to score a model on, and turn an evaluation into a score that is stored with weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data import ExternalLoader, as_images
from zoo.data.external_loader import as_external_loader, is_external_loader
from zoo.data.transforms import make_resize
from zoo.device import format_dtype
from zoo.metrics.classification import Evaluation
from zoo.saving.manifest import Score
from zoo.signature import Classes, Preprocessing


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """Images to score a model on.

    Args:
        pixels: The images, in any form that `zoo.data.inputs.as_inputs` takes.
        labels: Their class indices, int64 (N).
        name: Name of the data set, or empty.
        fingerprint: sha256 of images and labels, or empty for an external loader.
        shape: Channels, height and width before resizing, such as `1 x 28 x 28`; empty for an external loader.
    """

    pixels: Any
    labels: Tensor
    name: str = ""
    fingerprint: str = ""
    shape: str = ""


def load_labelled_images(data: Any, preprocessing: Preprocessing, classes: Classes) -> LabelledImages:
    """Read labelled images in any form that `fit` takes.

    Raises:
        DataError: The images do not fit the model, or a label is not one of its classes.
    """
    if is_external_loader(data):
        batches = list(ExternalLoader(as_external_loader(data).batches, classes=classes))
        return LabelledImages(
            pixels=[batch.images for batch in batches], labels=torch.cat([batch.targets for batch in batches])
        )
    images = as_images(data, transform=make_resize(preprocessing.size, preprocessing.resize)).with_classes(classes)
    return LabelledImages(
        pixels=images,
        labels=images.labels.cpu(),
        name=images.name,
        fingerprint=images.fingerprint(),
        shape=_format_shape(images.channels, images.size),
    )


def make_score(result: Evaluation, images: LabelledImages, preprocessing: Preprocessing, net: Module) -> Score:
    """Return an evaluation as the score that is stored with weights, with how it was measured."""
    weight = next(net.parameters())
    model_shape = _format_shape(preprocessing.channels, preprocessing.size)
    resized = "" if images.shape == model_shape else f" brought to {model_shape} ({preprocessing.resize})"
    low, high = result.interval
    protocol = {
        "images": f"{images.shape or 'a stream'}{resized}",
        "accuracy interval": f"{low:.4f} to {high:.4f} (95 %, bootstrap over the images)",
        "numbers": format_dtype(weight.dtype),
        "device": weight.device.type,
        "torch": torch.__version__,
    }
    metrics = {name: value for name, value in result.scores().items() if math.isfinite(value)}
    return Score(
        data=images.name, count=result.count, fingerprint=images.fingerprint, metrics=metrics, protocol=protocol
    )


def _format_shape(channels: int, size: tuple[int, int]) -> str:
    return f"{channels} x {size[0]} x {size[1]}"
