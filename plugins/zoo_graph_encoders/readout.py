"""Reduce the nodes of an image to one feature vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Readout = Callable[[Sequence[Tensor]], Tensor]
"""Maps the nodes after each block, a list of (B, N, F), to features (B, D)."""


def mean(levels: Sequence[Tensor]) -> Tensor:
    """Return the mean over the last nodes, (B, F)."""
    return levels[-1].mean(1)


def mean_max(levels: Sequence[Tensor]) -> Tensor:
    """Return mean and maximum over the last nodes, (B, 2 F)."""
    return torch.cat([levels[-1].mean(1), levels[-1].amax(1)], 1)


def flatten(levels: Sequence[Tensor]) -> Tensor:
    """Return the concatenated last nodes, (B, N F), so that the head has weights for each pixel."""
    return levels[-1].flatten(1)


def pyramid(levels: Sequence[Tensor]) -> Tensor:
    """Return mean and maximum over the nodes of each of L levels, (B, 2 F L) (Knyazev et al. 2019)."""
    return torch.cat([mean_max([level]) for level in levels], 1)


READOUTS: dict[str, Readout] = {"mean": mean, "mean+max": mean_max, "flatten": flatten, "pyramid": pyramid}


def count_features(readout: str, *, width: int, nodes: int, blocks: int) -> int:
    """Return D, the number of features of a readout."""
    return width * {"mean": 1, "mean+max": 2, "flatten": nodes, "pyramid": 2 * blocks}[readout]
