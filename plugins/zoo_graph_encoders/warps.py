"""Rotate, shear, scale and slant images by a given strength, and sample them at a smaller size."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from zoo import Images
from zoo.data.transforms import resize_images

CHUNK_SIZE = 4096
Homography = Callable[[float, Tensor], Tensor]
"""(strength, directions (N) in radians) -> maps (N, 3, 3) from points of the output to points of the input, both
measured from the centre in half widths."""


def rotation(degrees: float, directions: Tensor) -> Tensor:
    """Rotate by an angle."""
    angle = torch.full_like(directions, degrees * math.pi / 180)
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    return _stack_maps(angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero, zero, zero, one)


def shear(degrees: float, directions: Tensor) -> Tensor:
    """Shear by an angle to the side."""
    slope = torch.full_like(directions, math.tan(degrees * math.pi / 180))
    zero, one = torch.zeros_like(slope), torch.ones_like(slope)
    return _stack_maps(one, slope, zero, zero, one, zero, zero, zero, one)


def scale(factor: float, directions: Tensor) -> Tensor:
    """Scale the content of the image by a factor."""
    inverse = torch.full_like(directions, 1 / factor)
    zero, one = torch.zeros_like(inverse), torch.ones_like(inverse)
    return _stack_maps(inverse, zero, zero, zero, inverse, zero, zero, zero, one)


def perspective(slant: float, directions: Tensor) -> Tensor:
    """Slant the image: depth changes by `slant` from its centre to its edge, in the image's own direction."""
    across, down = slant * directions.cos(), slant * directions.sin()
    zero, one = torch.zeros_like(across), torch.ones_like(across)
    return _stack_maps(one, zero, zero, zero, one, zero, across, down, one)


def _stack_maps(*entries: Tensor) -> Tensor:
    return torch.stack(entries, 1).view(-1, 3, 3)


def warp_images(images: Tensor, maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return images uint8 (N, C, H, W), each warped by its map (N, 3, 3), then sampled at another size.

    The warp is one bilinear sampling at the images' own size, with zeros outside of the image.
    """
    parts = zip(images.split(CHUNK_SIZE), maps.split(CHUNK_SIZE), strict=True)
    return torch.cat([resize_images(_warp_chunk(*part), size, "sample") for part in parts])


def _warp_chunk(images: Tensor, maps: Tensor) -> Tensor:
    height, width = images.shape[2:]
    rows, columns = (((torch.arange(side) + 0.5) * 2 / side - 1) for side in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    output_points = torch.stack([x, y, torch.ones_like(x)], 2).view(-1, 3)  # (H W, 3)
    input_points = output_points @ maps.mT  # (N, H W, 3)
    grid = (input_points[..., :2] / input_points[..., 2:].clamp_min(1e-3)).view(-1, height, width, 2)
    levels = F.grid_sample(images.float(), grid, align_corners=False)
    return levels.round_().clamp_(0, 255).to(torch.uint8)


def apply_change(
    images: Images, change: Homography, strength: float, directions: Tensor, size: tuple[int, int]
) -> Images:
    """Return all images under one change, sampled at a size."""
    pixels = warp_images(images.images, change(strength, directions), size)
    return Images(pixels, images.labels, images.classes, name=images.name)


def rotate_randomly(images: Images, generator: Generator, size: tuple[int, int]) -> Images:
    """Return each image rotated by a random angle and sampled at a size."""
    angles = torch.empty(len(images)).uniform_(-math.pi, math.pi, generator=generator)
    zero, one = torch.zeros_like(angles), torch.ones_like(angles)
    maps = _stack_maps(angles.cos(), -angles.sin(), zero, angles.sin(), angles.cos(), zero, zero, zero, one)
    return Images(warp_images(images.images, maps, size), images.labels, images.classes, name=images.name)
