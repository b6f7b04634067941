"""Labelled images to score a model on, and a score as it is stored with weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data import Stream, images_of
from zoo.data.transforms import to_size
from zoo.metrics.classification import Evaluation
from zoo.saving.manifest import Score
from zoo.signature import Classes, Preprocessing
from zoo.training.fitting import as_stream, is_stream


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Images to score on: what `inputs_of` takes, class indices (N), and where they come from.

    Args:
        pixels: The images.
        labels: Their class indices, int64 (N).
        name: Name of the data set, or empty.
        fingerprint: sha256 of images and labels, or empty for a stream.
        form: Channels, height and width as they came, in words.
    """

    pixels: Any
    labels: Tensor
    name: str = ""
    fingerprint: str = ""
    form: str = ""


def labelled(data: Any, wants: Preprocessing, classes: Classes) -> Labelled:
    """Return anything `fit` takes as images to score on.

    Raises:
        DataError: The images do not fit the model, or a label is none of its classes.
    """
    if is_stream(data):
        batches = list(Stream(as_stream(data).batches, classes=classes))
        return Labelled(
            pixels=[batch.images for batch in batches], labels=torch.cat([batch.targets for batch in batches])
        )
    images = images_of(data, prepare=to_size(wants.size, wants.resize)).with_classes(classes)
    height, width = images.size
    return Labelled(
        pixels=images,
        labels=images.labels.cpu(),
        name=images.name,
        fingerprint=images.fingerprint(),
        form=f"{images.channels} x {height} x {width}",
    )


def score_of(result: Evaluation, images: Labelled, wants: Preprocessing, net: Module) -> Score:
    """Return an evaluation as it is stored with weights."""
    weight = next(net.parameters())
    own = f"{wants.channels} x {wants.size[0]} x {wants.size[1]}"
    low, high = result.interval
    protocol = {
        "images": f"{images.form or 'a stream'}{'' if images.form == own else f' brought to {own} ({wants.resize})'}",
        "accuracy interval": f"{low:.4f} to {high:.4f} (95 %, bootstrap over the images)",
        "numbers": str(weight.dtype).removeprefix("torch."),
        "device": weight.device.type,
        "torch": torch.__version__,
    }
    metrics = {name: value for name, value in result.scores().items() if math.isfinite(value)}
    return Score(
        data=images.name, count=result.count, fingerprint=images.fingerprint, metrics=metrics, protocol=protocol
    )
