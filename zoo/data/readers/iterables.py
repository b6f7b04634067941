"""Read torch data sets and other iterables of `(images, labels)` once, into memory."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.data.arrays import as_tensor, encode_labels, to_nchw, to_uint8_images
from zoo.data.image_files import is_pillow_image, pil_to_tensor, stack_images
from zoo.data.images import Images
from zoo.data.transforms import Transform
from zoo.errors import ImageError, SourceError, ZooError

MAX_IMAGES = 1 << 20
MAX_BYTES = 4 << 30


def read_samples(dataset: Any, *, source_name: str = "the data set", transform: Transform | None = None) -> Images:
    """Read a map-style torch data set of `(image, label)`; its transforms run once per image.

    Class names come from `dataset.classes` when labels are whole numbers.
    """
    names = getattr(dataset, "classes", None)
    return read_items(
        (dataset[index] for index in range(len(dataset))),
        class_names=names,
        source_name=source_name,
        transform=transform,
    )


def read_items(
    items: Iterable[Any],
    *,
    class_names: Any = None,
    source_name: str = "the iterable",
    transform: Transform | None = None,
) -> Images:
    """Read `(images, labels)` items, single or batched, until the iterable ends.

    Args:
        items: The iterable.
        class_names: Names of the classes, used when labels are whole numbers.
        source_name: Name of the source for messages.
        transform: Brings images of several sizes to one.

    Raises:
        SourceError: There are no items, or more than `MAX_IMAGES` images or `MAX_BYTES` bytes.
    """
    images: list[Tensor] = []
    labels: list[Any] = []
    num = size = 0
    for item in items:
        pixels, item_labels = _parse_item(item, source_name)
        images.append(pixels if transform is None else transform(pixels))
        labels += item_labels
        num, size = num + len(pixels), size + pixels.numel()
        if num > MAX_IMAGES or size > MAX_BYTES:
            raise SourceError(
                f"{source_name} gave {num} images ({size >> 20} MiB) and has not ended; zoo reads it whole before "
                "training: give a part of it (itertools.islice), or an object with a length that restarts each epoch"
            )
    if not images:
        raise SourceError(f"{source_name} gives no images: it is empty, or an iterator that is used up")
    flat = [image for batch in images for image in batch] if len({batch.shape[1:] for batch in images}) > 1 else None
    pixels = torch.cat(images) if flat is None else stack_images(flat, (f"image {n}" for n in range(len(flat))))
    is_named = (
        isinstance(class_names, list | tuple)
        and all(isinstance(n, str) for n in class_names)
        and not isinstance(labels[0], str)
    )
    return Images(pixels, *encode_labels(labels, class_names if is_named else None))


def _parse_item(item: Any, source_name: str) -> tuple[Tensor, list[Any]]:
    """Return one item as images uint8 (N, C, H, W) and a list of N labels."""
    if not isinstance(item, list | tuple) or len(item) != 2:
        raise SourceError(f"{source_name} gives {type(item).__name__} items; zoo reads pairs (images, labels)")
    image, label = item
    is_one = isinstance(label, str) or np.ndim(label) == 0
    try:
        if is_pillow_image(image):
            pixels = pil_to_tensor(image, 1 if image.mode in ("L", "1") else 3)[None]
        else:
            tensor = as_tensor(image)
            is_single = is_one and tensor.ndim in (2, 3)
            num = None if is_one else len(label)
            pixels = to_uint8_images(to_nchw(_single_to_nchw(tensor) if is_single else tensor, num_images=num))
    except ZooError as error:
        raise type(error)(f"{source_name}: {error}") from error
    labels = (
        [label.item() if hasattr(label, "item") else label]
        if is_one
        else list(islice(_to_list(label), len(pixels) + 1))
    )
    if len(labels) != len(pixels):
        raise ImageError(f"{source_name} gives {len(pixels)} images with {len(labels)} labels in one item")
    return pixels, labels


def _single_to_nchw(tensor: Tensor) -> Tensor:
    """Return a single (H, W), (C, H, W) or (H, W, C) image as (1, C, H, W)."""
    if tensor.ndim == 2:
        return tensor[None, None]
    return (
        tensor[None] if tensor.shape[0] in (1, 3) or tensor.shape[2] not in (1, 3, 4) else tensor.permute(2, 0, 1)[None]
    )


def _to_list(labels: Any) -> list[Any]:
    return labels.tolist() if hasattr(labels, "tolist") else list(labels)
