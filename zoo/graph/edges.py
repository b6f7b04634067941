"""List the edges of a grid, grouped by direction."""

from __future__ import annotations

import torch
from torch import Tensor

Offset = tuple[int, int]
SELF_LOOP: Offset = (0, 0)
NEIGHBOUR_OFFSETS: tuple[Offset, ...] = tuple(
    (row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if (row, column) != SELF_LOOP
)


def list_offsets(neighbours: int, self_loops: bool) -> tuple[Offset, ...]:
    """Return the offsets of a pixel's neighbours, as (rows down, columns right), in reading order; the loop is last."""
    offsets = NEIGHBOUR_OFFSETS if neighbours == 8 else tuple(each for each in NEIGHBOUR_OFFSETS if 0 in each)
    return (*offsets, SELF_LOOP) if self_loops else offsets


def build_edges(height: int, width: int, offsets: tuple[Offset, ...]) -> tuple[Tensor, Tensor]:
    """Return edges int64 (2, E), sources in the first row, and the index int64 (E) of each edge's offset."""
    pixels = torch.arange(height * width).view(height, width)
    edges = [_build_edges_from(pixels, *offset) for offset in offsets]
    relations = [torch.full((each.shape[1],), index) for index, each in enumerate(edges)]
    return torch.cat(edges, 1), torch.cat(relations)


def _build_edges_from(pixels: Tensor, row: int, column: int) -> Tensor:
    """Return the edges to each pixel from the pixel at an offset, where there is one."""
    height, width = pixels.shape
    targets = pixels[max(-row, 0) : height - max(row, 0), max(-column, 0) : width - max(column, 0)]
    return torch.stack([targets + row * width + column, targets]).flatten(1)
