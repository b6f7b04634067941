"""Augment whole batches: every image gets its own random change, sampled from the caller's generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from zoo.data.arrays import to_float_images
from zoo.errors import ConfigError, did_you_mean, join_names

PixelOp = Callable[[Tensor, float, Generator], Tensor]
"""(float images (B, C, H, W) in [0, 1], strength, generator) -> images of the same shape."""
Mix = Callable[[Tensor, Tensor, float, np.random.Generator], tuple[Tensor, float]]
"""(images, index of each partner, ratio of the image itself, generator) -> images, and the ratio after rounding."""
Warp = Callable[[Tensor, float, Generator], Tensor]
"""(images, strength, generator) -> (B, 2, 3) maps from output to input pixels, about the centre."""


def _sample_uniform(images: Tensor, low: float, high: float, generator: Generator, *shape: int) -> Tensor:
    return torch.empty(len(images), *shape, device=images.device).uniform_(low, high, generator=generator)


def _make_affine(a: Tensor, b: Tensor, c: Tensor, d: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([torch.stack([a, b, x], 1), torch.stack([c, d, y], 1)], 1)


def _shift(images: Tensor, pixels: float, generator: Generator) -> Tensor:
    moves = _sample_uniform(images, -pixels - 0.5, pixels + 0.5, generator, 2).round()
    one, zero = torch.ones_like(moves[:, 0]), torch.zeros_like(moves[:, 0])
    return _make_affine(one, zero, zero, one, moves[:, 0], moves[:, 1])


def _rotate(images: Tensor, degrees: float, generator: Generator) -> Tensor:
    angle = _sample_uniform(images, -degrees, degrees, generator) * math.pi / 180
    zero = torch.zeros_like(angle)
    return _make_affine(angle.cos(), -angle.sin(), angle.sin(), angle.cos(), zero, zero)


def _scale(images: Tensor, fraction: float, generator: Generator) -> Tensor:
    factor = 1 / _sample_uniform(images, 1 - fraction, 1 + fraction, generator)
    zero = torch.zeros_like(factor)
    return _make_affine(factor, zero, zero, factor, zero, zero)


def _shear(images: Tensor, degrees: float, generator: Generator) -> Tensor:
    slope = torch.tan(_sample_uniform(images, -degrees, degrees, generator) * math.pi / 180)
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    return _make_affine(one, slope, zero, one, zero, zero)


def _flip(images: Tensor, probability: float, generator: Generator) -> Tensor:
    return torch.where(_sample_uniform(images, 0, 1, generator, 1, 1, 1) < probability, images.flip(3), images)


def _flip_vertical(images: Tensor, probability: float, generator: Generator) -> Tensor:
    return torch.where(_sample_uniform(images, 0, 1, generator, 1, 1, 1) < probability, images.flip(2), images)


def _jitter_contrast(images: Tensor, fraction: float, generator: Generator) -> Tensor:
    mean = images.mean((1, 2, 3), keepdim=True)
    return (mean + (images - mean) * _sample_uniform(images, 1 - fraction, 1 + fraction, generator, 1, 1, 1)).clamp(
        0, 1
    )


def _jitter_brightness(images: Tensor, fraction: float, generator: Generator) -> Tensor:
    return (images + _sample_uniform(images, -fraction, fraction, generator, 1, 1, 1)).clamp(0, 1)


def _add_noise(images: Tensor, std: float, generator: Generator) -> Tensor:
    noise = torch.empty_like(images).normal_(0, std, generator=generator)
    return (images + noise).clamp(0, 1)


def _apply_cutout(images: Tensor, pixels: float, generator: Generator) -> Tensor:
    height, width = images.shape[2:]
    top = (_sample_uniform(images, 0, height, generator, 1, 1, 1)).floor() - pixels // 2
    left = (_sample_uniform(images, 0, width, generator, 1, 1, 1)).floor() - pixels // 2
    rows = torch.arange(height, device=images.device).view(1, 1, -1, 1)
    columns = torch.arange(width, device=images.device).view(1, 1, 1, -1)
    hole = (rows >= top) & (rows < top + pixels) & (columns >= left) & (columns < left + pixels)
    return images.masked_fill(hole, 0)


WARPS: dict[str, tuple[Warp, float, str]] = {
    "rotate": (_rotate, 15, "rotate by up to this many degrees"),
    "scale": (_scale, 0.2, "scale by up to this fraction"),
    "shear": (_shear, 10, "shear by up to this many degrees"),
    "shift": (_shift, 2, "move by up to this many whole pixels"),
}
PIXEL_OPS: dict[str, tuple[PixelOp, float, str]] = {
    "flip": (_flip, 0.5, "mirror left and right with this probability"),
    "flip-vertical": (_flip_vertical, 0.5, "mirror top and bottom with this probability"),
    "contrast": (_jitter_contrast, 0.2, "change contrast by up to this fraction"),
    "brightness": (_jitter_brightness, 0.2, "change brightness by up to this fraction of the range"),
    "noise": (_add_noise, 0.05, "add Gaussian noise of this standard deviation"),
    "cutout": (_apply_cutout, 4, "black out a square with sides of this many pixels (DeVries and Taylor 2017)"),
}
AUGMENTATIONS = {name: (default, text) for name, (_, default, text) in sorted({**WARPS, **PIXEL_OPS}.items())}
"""Each augmentation's default strength and what it does."""


class Augment:
    """Augment a batch: one warp of all geometric changes, then the other changes in order, then mixing of images.

    Args:
        names: Names of `AUGMENTATIONS`, each with an optional strength after a colon: `("flip", "shift:2")`.
        mixup: Alpha of mixup (Zhang et al. 2018, section 2); 0 is off.
        cutmix: Alpha of CutMix (Yun et al. 2019, section 3); 0 is off.
        num_classes: K, for the mixed targets.

    Raises:
        ConfigError: A name is unknown, a strength is not a number above 0, or mixing lacks `num_classes`.
    """

    def __init__(
        self, names: Sequence[str] = (), *, mixup: float = 0.0, cutmix: float = 0.0, num_classes: int = 0
    ) -> None:
        steps = [_parse_augmentation(name) for name in names]
        self._warps = [(WARPS[name][0], strength) for name, strength in steps if name in WARPS]
        self._pixel_ops = [(PIXEL_OPS[name][0], strength) for name, strength in steps if name in PIXEL_OPS]
        self._mixers = [(mix, alpha) for mix, alpha in ((_apply_mixup, mixup), (_apply_cutmix, cutmix)) if alpha > 0]
        self._num_classes = num_classes
        if self._mixers and num_classes < 1:
            raise ConfigError("mixup and cutmix mix targets; set num_classes to at least 1")

    def __bool__(self) -> bool:
        """Return whether there is anything to change."""
        return bool(self._warps or self._pixel_ops or self._mixers)

    def __call__(self, images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return float images (B, C, H, W) in [0, 1] and targets: int64 (B), or float (B, K) when mixed."""
        images = to_float_images(images)
        if self._warps:
            images = _warp_images(images, [warp(images, strength, generator) for warp, strength in self._warps])
        for change, strength in self._pixel_ops:
            images = change(images, strength, generator)
        if not self._mixers:
            return images, labels
        pick = int(torch.randint(len(self._mixers), (), generator=generator, device=generator.device))
        return self._mix_batch(images, labels, generator, *self._mixers[pick])

    def _mix_batch(
        self, images: Tensor, labels: Tensor, generator: Generator, mix: Mix, alpha: float
    ) -> tuple[Tensor, Tensor]:
        seed = int(torch.randint(2**31, (), generator=generator, device=generator.device))
        rng = np.random.default_rng(seed)
        partner = torch.from_numpy(rng.permutation(len(images))).to(images.device)
        images, ratio = mix(images, partner, float(rng.beta(alpha, alpha)), rng)
        targets = F.one_hot(labels, self._num_classes).float()
        return images, ratio * targets + (1 - ratio) * targets[partner]


def _parse_augmentation(name: str) -> tuple[str, float]:
    """Split `name:strength` and check both; without a strength take the default."""
    word, _, number = name.partition(":")
    if word not in AUGMENTATIONS:
        raise ConfigError(
            f"no augmentation {word!r}{did_you_mean(word, AUGMENTATIONS)}; choose from {join_names(AUGMENTATIONS)}"
        )
    try:
        strength = float(number) if number else AUGMENTATIONS[word][0]
    except ValueError:
        strength = math.nan
    if not 0 < strength < math.inf:
        raise ConfigError(f"the strength in {name!r} is a number above 0, such as {word}:{AUGMENTATIONS[word][0]:g}")
    if word == "scale" and strength >= 1:
        raise ConfigError(f"the strength in {name!r} is a fraction below 1: at 1 an image shrinks to nothing")
    return word, strength


def _warp_images(images: Tensor, matrices: list[Tensor]) -> Tensor:
    """Apply several affine maps of pixels as one bilinear resampling; pixels from outside the image are 0."""
    height, width = images.shape[2:]
    bottom = torch.tensor([0.0, 0.0, 1.0], device=images.device).expand(len(images), 1, 3)
    combined = torch.eye(3, device=images.device).expand(len(images), 3, 3)
    for matrix in matrices:
        combined = combined @ torch.cat([matrix, bottom], 1)
    to_pixels = torch.diag(torch.tensor([width / 2, height / 2, 1.0], device=images.device))
    theta = to_pixels.inverse() @ combined @ to_pixels
    grid = F.affine_grid(theta[:, :2], list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _apply_mixup(images: Tensor, partner: Tensor, ratio: float, rng: np.random.Generator) -> tuple[Tensor, float]:
    return ratio * images + (1 - ratio) * images[partner], ratio


def _apply_cutmix(images: Tensor, partner: Tensor, ratio: float, rng: np.random.Generator) -> tuple[Tensor, float]:
    height, width = images.shape[2:]
    half_height, half_width = height * math.sqrt(1 - ratio) / 2, width * math.sqrt(1 - ratio) / 2
    row, column = rng.uniform(0, height), rng.uniform(0, width)
    top, bottom = max(round(row - half_height), 0), min(round(row + half_height), height)
    left, right = max(round(column - half_width), 0), min(round(column + half_width), width)
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)
