"""Resize images, and normalize them to the values a net takes."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.lazy import CHUNK_SIZE
from zoo.errors import ImageError
from zoo.signature import Preprocessing

Transform = Callable[[Tensor], Tensor]
"""Images (N, C, H, W) -> images of one size."""


def make_resize(size: int | tuple[int, int], mode: str = "area") -> Transform:
    """Return a function that resizes images to a height and width; one number is a square.

    Raises:
        ImageError: The size is not one or two whole numbers of at least 1, or `mode` is unknown.
    """
    pair = (size, size) if isinstance(size, int) else size
    _check_size(pair, mode)
    return lambda images: resize_images(images, pair, mode)


def _check_size(size: object, mode: str) -> None:
    is_pair = isinstance(size, tuple | list) and len(size) == 2 and all(isinstance(n, int) and n >= 1 for n in size)
    if not is_pair or mode not in ("area", "sample"):
        raise ImageError(f"cannot resize to {size!r} by {mode!r}; give height and width, and a mode: area or sample")


def resize_images(images: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    """Return images (N, C, H, W) at another size; uint8 stays uint8, rounded to the nearest level.

    Args:
        images: uint8 or floating (N, C, H, W).
        size: Height and width in pixels.
        mode: `area` or `sample`; see `zoo.signature.Preprocessing`.
    """
    _check_size(size, mode)
    if tuple(images.shape[2:]) == tuple(size):
        return images
    return torch.cat([_resize_chunk(chunk, size, mode) for chunk in images.split(CHUNK_SIZE)])


def _resize_chunk(images: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    levels = images if images.is_floating_point() else images.float()
    if mode == "sample":
        levels = F.interpolate(levels, size=size, mode="bilinear", align_corners=True)
    else:
        levels = F.interpolate(levels, size=size, mode="bilinear", antialias=True)
    return levels if images.is_floating_point() else levels.round().clamp(0, 255).to(torch.uint8)


class Normalize:
    """Normalize images per channel: (image - mean) / std, where uint8 is 0 to 255 and floats are 0 to 1."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self._is_identity = not any(preprocessing.mean) and set(preprocessing.std) == {1.0}
        if not self._is_identity:
            std = torch.tensor(preprocessing.std).view(1, -1, 1, 1)
            self._scale = 1 / std
            self._shift = torch.tensor(preprocessing.mean).view(1, -1, 1, 1) / std

    def __call__(self, images: Tensor) -> Tensor:
        """Return float32 (N, C, H, W)."""
        levels = images.float() if images.is_floating_point() else images.float().div_(255)
        if self._is_identity:
            return levels
        if self._scale.device != levels.device:
            self._scale, self._shift = self._scale.to(levels.device), self._shift.to(levels.device)
        return levels * self._scale - self._shift


class Denormalize:
    """Convert what a generator returns to images in [0, 1]: image * std + mean per channel, clamped."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self._mean = torch.tensor(preprocessing.mean).view(1, -1, 1, 1)
        self._std = torch.tensor(preprocessing.std).view(1, -1, 1, 1)

    def __call__(self, images: Tensor) -> Tensor:
        """Return float32 (N, C, H, W)."""
        if self._mean.device != images.device:
            self._mean, self._std = self._mean.to(images.device), self._std.to(images.device)
        return (images * self._std + self._mean).clamp(0, 1)
