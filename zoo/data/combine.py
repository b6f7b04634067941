"""Make new image sets from others: mix real and generated images, crop, or augment once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from zoo.data.arrays import to_uint8_images
from zoo.data.augment import Augment
from zoo.data.images import Images
from zoo.data.lazy import CHUNK_SIZE
from zoo.errors import ConfigError, ImageError
from zoo.seeding import make_generator


def mix(
    real: Images,
    others: Images,
    *,
    count: int | None = None,
    fraction: float | None = None,
    total: int | None = None,
    seed: int = 0,
) -> Images:
    """Mix real images with others, such as generated ones, in one shuffled set; give either `count` or `fraction`.

    Args:
        real: The images whose classes the set has.
        others: The images to mix in, of the same size and channels; each is used at most once.
        count: Number of images to add to all real ones.
        fraction: Fraction of the set to replace, in [0, 1]: 0.5 is half and half.
        total: Size of the set, with `fraction`; the number of real images by default.
        seed: Seed of the choice of images and of the order.

    Raises:
        ConfigError: Neither `count` nor `fraction` is given, or both, or one is out of range.
        ImageError: There are too few images, or their sizes differ.
        LabelError: The others have a class that the real ones lack.
    """
    _check_same_shape(real, others)
    keep, add = _count_images(real, others, count, fraction, total)
    added = others.with_classes(real.classes)
    parts = [part.take(num, seed=seed) for part, num in ((real, keep), (added, add)) if num]
    images, labels = (torch.cat([getattr(part, name) for part in parts]) for name in ("images", "labels"))
    order = torch.randperm(len(labels), generator=make_generator(seed, "mix"))
    name = f"{keep} of {real.name or 'real'} and {add} of {others.name or 'others'}"
    return Images(images[order], labels[order], real.classes, name=name)


def _check_same_shape(real: Images, others: Images) -> None:
    if real.images.shape[1:] != others.images.shape[1:]:
        first, second = (tuple(each.images.shape[1:]) for each in (real, others))
        raise ImageError(
            f"real images are {first} and the others {second}; use resize() or to_grayscale() to make them alike"
        )


def _count_images(
    real: Images, others: Images, count: int | None, fraction: float | None, total: int | None
) -> tuple[int, int]:
    """Return the number of real images and the number of others in the set."""
    if (count is None) == (fraction is None):
        raise ConfigError("mix takes either count (images to add) or fraction (how much of the set to replace)")
    if fraction is not None and not 0 <= fraction <= 1:
        raise ConfigError(f"fraction is between 0 and 1, not {fraction!r}")
    if count is not None and (count < 0 or total is not None):
        raise ConfigError(f"count is at least 0 and excludes total, not count={count!r} and total={total!r}")
    size = len(real) if total is None else total
    add = count if count is not None else round(size * (fraction or 0.0))
    keep = len(real) if count is not None else size - add
    if keep + add < 1 or keep > len(real) or add > len(others):
        raise ImageError(
            f"the set needs {keep} real images and {add} others, and there are {len(real)} and {len(others)}; "
            "generate more, or set total"
        )
    return keep, add


def center_crop(images: Images, size: int | tuple[int, int]) -> Images:
    """Return the center of each image.

    Args:
        images: The images.
        size: Height and width in pixels; one number is a square.

    Raises:
        ImageError: The images are smaller.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if height < 1 or width < 1 or height > images.size[0] or width > images.size[1]:
        raise ImageError(f"cannot crop {images.size[0]} x {images.size[1]} images to {height} x {width}")
    top, left = (images.size[0] - height) // 2, (images.size[1] - width) // 2
    pixels = images.images[:, :, top : top + height, left : left + width].contiguous()
    return Images(pixels, images.labels, images.classes, name=images.name)


def augment_once(images: Images, augmentations: Sequence[str], *, seed: int = 0) -> Images:
    """Augment each image once and return the new set; augmentations are such as `("rotate:10", "contrast")`.

    Raises:
        ConfigError: An augmentation is unknown, or its strength is out of range.
    """
    augment, generator = Augment(augmentations), make_generator(seed, "changed")
    parts = [
        to_uint8_images(augment(chunk, labels, generator)[0])
        for chunk, labels in zip(images.images.split(CHUNK_SIZE), images.labels.split(CHUNK_SIZE), strict=True)
    ]
    return Images(torch.cat(parts), images.labels, images.classes, name=images.name)
