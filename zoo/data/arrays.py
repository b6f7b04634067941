"""Convert arrays of any common layout to image tensors, and labels of any kind to class indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ImageError, LabelError
from zoo.signature import Classes


def as_tensor(values: Any) -> Tensor:
    """Return a tensor, array or nested sequence as a CPU tensor."""
    if isinstance(values, Tensor):
        if values.layout != torch.strided:
            raise ImageError(f"images are dense tensors, not {values.layout}; convert them with to_dense()")
        return values.detach()
    try:
        array = np.asarray(values)
        if array.dtype == object or array.dtype.kind in "USMmVc":
            raise TypeError(f"an array of {array.dtype}")
        is_wide = array.dtype.kind == "u" and array.itemsize > 1
        native = array.astype(np.int64 if is_wide else array.dtype.newbyteorder("="), copy=is_wide)
        return torch.from_numpy(np.require(native, requirements=("C", "W")))
    except (TypeError, ValueError) as error:
        raise ImageError(
            f"images are numbers in an array of one shape, not {_describe_type(values)}: {error}"
        ) from error


def to_nchw(
    images: Any, *, channels: int | None = None, size: tuple[int, int] | None = None, num_images: int | None = None
) -> Tensor:
    """Return images of any common layout as (N, C, H, W).

    - Four axes: the axis with 1 or 3 channels decides between (N, C, H, W) and (N, H, W, C).
    - Three axes: (C, H, W) with the model's channels and (H, W, C) are one image; any other (N, H, W) are N grey ones.
      If `num_images` is given and above 1, (N, H, W) are grey images however narrow.
    - Two axes: (N, C * H * W) rows are reshaped to `size`, or to squares. (H, W) is one grey image if `size` is given
      and the rows do not fit it.

    Raises:
        ImageError: The shape matches none of these.
    """
    tensor = as_tensor(images)
    if tensor.ndim == 2:
        tensor = _rows_to_nchw(tensor, channels or 1, size)
    elif tensor.ndim == 3:
        is_colour = channels not in (None, 1) and tensor.shape[0] == channels
        is_last = tensor.shape[2] in (1, 3, 4) and tensor.shape[0] not in (1, 3)
        if num_images is not None and (num_images > 1 or len(tensor) == 1):
            tensor = tensor[:, None]
        else:
            tensor = tensor[None] if is_colour else tensor.permute(2, 0, 1)[None] if is_last else tensor[:, None]
    elif tensor.ndim == 4 and tensor.shape[1] not in (1, 3, channels) and tensor.shape[3] in (1, 3, 4, channels):
        tensor = tensor.permute(0, 3, 1, 2)
    if tensor.ndim != 4 or 0 in tensor.shape:
        raise ImageError(
            f"an array of shape {tuple(tensor.shape)} is not images; "
            "give (N, C, H, W), (N, H, W, C), (N, H, W) or rows (N, C * H * W), and at least one image"
        )
    return tensor.contiguous()


def _rows_to_nchw(rows: Tensor, channels: int, size: tuple[int, int] | None) -> Tensor:
    if size is not None and tuple(rows.shape) != size and rows.shape[1] == channels * size[0] * size[1]:
        return rows.reshape(-1, channels, *size)
    if size is not None:
        return rows[None, None]
    side = math.isqrt(rows.shape[1] // channels)
    if side * side * channels != rows.shape[1] or side == 0:
        raise ImageError(f"rows of {rows.shape[1]} numbers are not square images; reshape them to (N, H, W)")
    return rows.reshape(-1, channels, side, side)


def to_float_images(images: Tensor) -> Tensor:
    """Return floating or integer images as float32 in [0, 1]; integers 0 to 255 are divided by 255.

    Raises:
        ImageError: A value is complex, not finite or out of both ranges.
    """
    if images.dtype == torch.uint8:
        return images.float() / 255
    if images.is_complex():
        raise ImageError("images are real numbers; these are complex, so take abs() or the real part")
    levels = images.float()
    if not bool(torch.isfinite(levels).all()):
        raise ImageError("images hold NaN or infinite values; replace them first")
    low, high = float(levels.detach().min()), float(levels.detach().max())
    if images.dtype == torch.bool or (low >= -1e-6 and high <= 1 + 1e-6 and images.is_floating_point()):
        return levels.clamp(0, 1)
    if low >= 0 and high <= 255 and bool((levels == levels.round()).all()):
        return levels / 255
    raise ImageError(
        f"images lie in {low:.4g}..{high:.4g}; give levels 0..255 or floats in 0..1. zoo normalises with the mean and "
        "std that travel with the weights, so leave Normalize out of your own transform"
    )


def to_uint8_images(images: Tensor) -> Tensor:
    """Return images as uint8, 0 to 255, rounded."""
    return images if images.dtype == torch.uint8 else to_float_images(images).mul_(255).round_().to(torch.uint8)


def to_label_tensor(labels: Any) -> Tensor:
    """Return whole-number labels as int64 (N).

    Raises:
        LabelError: The labels are not one whole number per image.
    """
    try:
        tensor = labels.detach() if isinstance(labels, Tensor) else torch.as_tensor(np.asarray(labels))
    except (TypeError, ValueError) as error:
        raise LabelError(
            f"labels are whole numbers here, not {_describe_type(labels)}; read the whole set for other labels"
        ) from error
    if tensor.ndim == 2 and tensor.shape[1] == 1:
        tensor = tensor[:, 0]
    is_whole = not tensor.is_floating_point() or bool((tensor.isfinite() & (tensor == tensor.round())).all())
    if tensor.ndim != 1 or tensor.is_complex() or not is_whole:
        raise LabelError(f"labels are one class per image, not {tensor.dtype} {tuple(tensor.shape)}")
    return tensor.long()


def encode_labels(labels: Any, class_names: Sequence[str] | None = None) -> tuple[Tensor, Classes]:
    """Return class indices int64 (N) and the classes: the distinct labels (strings or whole numbers), sorted.

    Whole numbers 0 to K - 1 are their own indices. `class_names` then names them, including classes without images.

    Raises:
        LabelError: There are no labels, or they are neither strings nor whole numbers, or lie outside `class_names`.
    """
    values = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    if not isinstance(values, list):
        raise LabelError(f"labels are one class per image, not the single {values!r}")
    if not values:
        raise LabelError("there are no labels")
    if all(isinstance(value, str) for value in values):
        distinct: list[int | str] = sorted(set(values))
    else:
        numbers = to_label_tensor(labels)
        values, distinct = numbers.tolist(), sorted(set(numbers.tolist()))
        if class_names is not None:
            return _encode_named(numbers, class_names)
        if distinct == list(range(len(distinct))):
            return numbers, Classes.numbered(len(distinct))
    indices = {value: index for index, value in enumerate(distinct)}
    return torch.tensor([indices[value] for value in values]), Classes.of(distinct)


def _encode_named(numbers: Tensor, class_names: Sequence[str]) -> tuple[Tensor, Classes]:
    low, high = int(numbers.min()), int(numbers.max())
    if low < 0 or high >= len(class_names):
        raise LabelError(
            f"labels lie in {low}..{high}; {len(class_names)} class names have indices 0..{len(class_names) - 1}"
        )
    return numbers, Classes.of(range(len(class_names)), class_names)


def _describe_type(values: Any) -> str:
    return f"a {type(values).__name__}"
