"""Labelled images to score a model on, and a score as it is stored with weights."""

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
from zoo.metrics.classification import Evaluation
from zoo.saving.manifest import Score
from zoo.signature import Classes, Preprocessing


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """Images to score on: what `inputs_of` takes, class indices (N), and where they come from.

    Args:
        pixels: The images.
        labels: Their class indices, int64 (N).
        name: Name of the data set, or empty.
        fingerprint: sha256 of images and labels, or empty for a stream.
        shape_text: Channels, height and width as they came, in words.
    """

    pixels: Any
    labels: Tensor
    name: str = ""
    fingerprint: str = ""
    shape_text: str = ""


def load_labelled_images(data: Any, preprocessing: Preprocessing, classes: Classes) -> LabelledImages:
    """Return anything `fit` takes as images to score on.

    Raises:
        DataError: The images do not fit the model, or a label is none of its classes.
    """
    if is_external_loader(data):
        batches = list(ExternalLoader(as_external_loader(data).batches, classes=classes))
        return LabelledImages(
            pixels=[batch.images for batch in batches], labels=torch.cat([batch.targets for batch in batches])
        )
    images = as_images(data, transform=make_resize(preprocessing.size, preprocessing.resize)).with_classes(classes)
    height, width = images.size
    return LabelledImages(
        pixels=images,
        labels=images.labels.cpu(),
        name=images.name,
        fingerprint=images.fingerprint(),
        shape_text=f"{images.channels} x {height} x {width}",
    )


def make_score(result: Evaluation, images: LabelledImages, preprocessing: Preprocessing, net: Module) -> Score:
    """Return an evaluation as it is stored with weights."""
    weight = next(net.parameters())
    own = f"{preprocessing.channels} x {preprocessing.size[0]} x {preprocessing.size[1]}"
    low, high = result.interval
    protocol = {
        "images": f"{images.shape_text or 'a stream'}{'' if images.shape_text == own else f' brought to {own} ({preprocessing.resize})'}",
        "accuracy interval": f"{low:.4f} to {high:.4f} (95 %, bootstrap over the images)",
        "numbers": str(weight.dtype).removeprefix("torch."),
        "device": weight.device.type,
        "torch": torch.__version__,
    }
    metrics = {name: value for name, value in result.scores().items() if math.isfinite(value)}
    return Score(
        data=images.name, count=result.count, fingerprint=images.fingerprint, metrics=metrics, protocol=protocol
    )
