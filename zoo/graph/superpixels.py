"""Cut images into superpixels (patches of similar colour), and build the graph of the patches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.errors import ConfigError

CELL_OFFSETS = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))
"""The cells of the lattice around a cell, itself included, as (rows down, columns right)."""
PAD_VALUE = 1e9
"""Coordinate of the centres outside the lattice, which no pixel chooses."""


@dataclass(frozen=True, kw_only=True)
class Superpixels:
    """A batch of images as superpixels.

    Args:
        labels: The superpixel of each pixel, int64 (B, H, W), below K.
        nodes: Mean colour, then mean row and column from -1 to 1, of each superpixel, (B, K, C + 2).
        sizes: Number of pixels of each superpixel, int64 (B, K). An empty superpixel has 0, and keeps its last mean.
        adjacency: Whether two superpixels touch, or are the same, bool (B, K, K). An empty one touches none.
    """

    labels: Tensor
    nodes: Tensor
    sizes: Tensor
    adjacency: Tensor


def slic(images: Tensor, num_superpixels: int, *, compactness: float = 1.0, num_iterations: int = 10) -> Superpixels:
    """Cut images into about `num_superpixels` superpixels by SLIC (Achanta et al. 2012), a whole batch at once.

    Centres start on a lattice. Each pixel is assigned to the nearest of the 9 centres around it in colour and position:
    |c - c_k|^2 + (compactness |p - p_k| / s)^2, where s is the step of the lattice in pixels. Each centre then moves to
    the mean of its pixels. Time and memory grow with the number of pixels only. Unlike in the paper, centres do not
    start at the smallest gradient, and stray pixels are not joined to their surroundings. The result is deterministic
    on any device: sums are matrix products, and ties go to the first centre.

    Args:
        images: Float images (B, C, H, W), with values of about 0 to 1.
        num_superpixels: Number of superpixels; the lattice has the numbers of rows and columns that come nearest.
        compactness: Weight of position against colour: 0 uses colour alone, a large value gives squares.
        num_iterations: How often the centres move.

    Raises:
        ConfigError: `num_superpixels` is below 1 or above the number of pixels.
    """
    height, width = images.shape[2:]
    if not 1 <= num_superpixels <= height * width:
        raise ConfigError(
            f"an image of {height} x {width} pixels has 1 to {height * width} superpixels, not {num_superpixels}"
        )
    lattice = _Lattice(height, width, num_superpixels, images)
    pixels = torch.cat([images, lattice.positions.expand(images.shape[0], -1, -1, -1)], 1)  # (B, C + 2, H, W)
    weight = compactness / lattice.step
    centres = lattice.means(pixels, lattice.initial_assignment(pixels), None)
    for _ in range(num_iterations):
        centres = lattice.means(pixels, lattice.nearest_centres(pixels, centres, weight), centres)
    assignment = lattice.nearest_centres(pixels, centres, weight)
    return _to_superpixels(lattice, pixels, assignment, lattice.means(pixels, assignment, centres))


class _Lattice:
    """The lattice of centres, gh x gw, and sums over the pixels assigned to each.

    An assignment is int64 (B, H, W): an index into `CELL_OFFSETS`, the offset of a pixel's centre from its own cell.
    """

    def __init__(self, height: int, width: int, count: int, like: Tensor) -> None:
        self.shape = _lattice_shape(height, width, count)
        self.step = (height * width / (self.shape[0] * self.shape[1])) ** 0.5
        row, column = (torch.arange(side, device=like.device) for side in (height, width))
        self.cell_row = row * self.shape[0] // height
        self.cell_column = column * self.shape[1] // width
        self.rows = F.one_hot(self.cell_row, self.shape[0]).to(like)  # (H, gh)
        self.columns = F.one_hot(self.cell_column, self.shape[1]).to(like)  # (W, gw)
        self.positions = torch.stack(torch.meshgrid(row, column, indexing="ij")).to(like)  # (2, H, W)

    def initial_assignment(self, pixels: Tensor) -> Tensor:
        """Return the assignment of each pixel to its own cell."""
        return torch.full_like(pixels[:, 0], CELL_OFFSETS.index((0, 0)), dtype=torch.int64)

    def candidate_centres(self, centres: Tensor) -> Tensor:
        """Return the 9 centres around each cell, (B, F, 9, gh, gw); `PAD_VALUE` outside the lattice."""
        padded = F.pad(centres, (1, 1, 1, 1), value=PAD_VALUE)
        height, width = self.shape
        return torch.stack([padded[:, :, 1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in CELL_OFFSETS], 2)

    def nearest_centres(self, pixels: Tensor, centres: Tensor, weight: float) -> Tensor:
        """Return the assignment of each pixel to the nearest of the 9 centres around it."""
        candidates = self.candidate_centres(centres)[..., self.cell_row, :][..., self.cell_column]  # (B, F, 9, H, W)
        squares = (candidates - pixels[:, :, None]).square()
        return (squares[:, :-2].sum(1) + weight**2 * squares[:, -2:].sum(1)).argmin(1)

    def sums(self, values: Tensor, assignment: Tensor) -> Tensor:
        """Return the sum of values (B, F, H, W) over each superpixel's pixels, (B, F, gh, gw)."""
        height, width = self.shape
        total = values.new_zeros(*values.shape[:2], height + 2, width + 2)
        for index, (r, c) in enumerate(CELL_OFFSETS):
            assigned = values * (assignment == index)[:, None]
            cells = self.rows.T @ assigned @ self.columns  # (B, F, gh, gw)
            total[:, :, 1 + r : 1 + r + height, 1 + c : 1 + c + width] += cells
        return total[:, :, 1:-1, 1:-1]

    def means(self, pixels: Tensor, assignment: Tensor, previous: Tensor | None) -> Tensor:
        """Return the mean pixel of each superpixel, (B, F, gh, gw); an empty one keeps its mean in `previous`."""
        sizes = self.sums(torch.ones_like(pixels[:, :1]), assignment)
        means = self.sums(pixels, assignment) / sizes.clamp_min(1)
        return means if previous is None else torch.where(sizes > 0, means, previous)

    def labels(self, assignment: Tensor) -> Tensor:
        """Return the index of each pixel's superpixel, int64 (B, H, W)."""
        row, column = torch.tensor(CELL_OFFSETS, device=assignment.device).unbind(1)
        rows, columns = self.cell_row[:, None] + row[assignment], self.cell_column[None, :] + column[assignment]
        return rows * self.shape[1] + columns


def _lattice_shape(height: int, width: int, count: int) -> tuple[int, int]:
    """Return rows and columns of the lattice: nearly square cells, about `count` of them."""
    rows = min(max(round((count * height / width) ** 0.5), 1), height)
    return rows, min(max(round(count / rows), 1), width)


def _to_superpixels(lattice: _Lattice, pixels: Tensor, assignment: Tensor, centres: Tensor) -> Superpixels:
    labels = lattice.labels(assignment)
    sizes = lattice.sums(torch.ones_like(pixels[:, :1]), assignment).flatten(1).round().long()
    nodes = centres.flatten(2).mT  # (B, K, C + 2)
    sides = torch.tensor(pixels.shape[2:], device=pixels.device)
    positions = 2 * nodes[..., -2:] / (sides - 1).clamp_min(1) - 1
    nodes = torch.cat([nodes[..., :-2], positions], -1)
    return Superpixels(labels=labels, nodes=nodes, sizes=sizes, adjacency=_region_adjacency(labels, sizes))


def _region_adjacency(labels: Tensor, sizes: Tensor) -> Tensor:
    """Return which superpixels have adjacent pixels, bool (B, K, K)."""
    count = sizes.shape[1]
    touch = torch.diag_embed(sizes > 0).flatten(1)
    for first, second in ((labels[:, 1:], labels[:, :-1]), (labels[:, :, 1:], labels[:, :, :-1])):
        for pairs in (first * count + second, second * count + first):
            touch = touch.scatter(1, pairs.flatten(1), torch.ones_like(pairs.flatten(1), dtype=torch.bool))
    return touch.view(-1, count, count)
