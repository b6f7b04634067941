"""Outputs on images that anybody can make again: they show whether a saved model still computes what it did."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data.resize import Normalize
from zoo.inference import answers
from zoo.signature import Preprocessing
from zoo.tasks import Classification

COUNT = 4
KEPT = 64
"""How many logits of each image are kept."""
TOLERANCE = {"float64": 1e-3, "float32": 1e-3, "float16": 2e-2, "bfloat16": 1e-1}
"""Largest difference by number type, as a share of the largest logit: machines add in different orders."""
Golden = tuple[tuple[float, ...], ...]


def images(preprocessing: Preprocessing) -> Tensor:
    """Return four images uint8 (4, C, H, W): noise of one-pixel, two-pixel, four-pixel and eight-pixel squares.

    They depend on nothing but their size: the levels are the output of SHAKE-256, so they are the same everywhere.
    """
    height, width = preprocessing.size
    shape = (COUNT, preprocessing.channels, height, width)
    stream = hashlib.shake_256(b"zoo golden images").digest(COUNT * preprocessing.channels * height * width)
    noise = torch.frombuffer(bytearray(stream), dtype=torch.uint8).reshape(shape)
    coarse = [_squares(image, 2**power) for power, image in enumerate(noise)]
    return torch.stack(coarse)


def _squares(image: Tensor, edge: int) -> Tensor:
    small = image[:, ::edge, ::edge]
    return small.repeat_interleave(edge, 1).repeat_interleave(edge, 2)[:, : image.shape[1], : image.shape[2]]


def outputs(net: Module, preprocessing: Preprocessing) -> Golden:
    """Return the first logits of each of the four images; nothing where one is not finite."""
    logits = answers(net, Classification(Normalize(preprocessing)), images(preprocessing))[:, :KEPT]
    return tuple(tuple(row) for row in logits.tolist()) if bool(torch.isfinite(logits).all()) else ()


def difference(found: Golden, expected: Golden) -> float:
    """Return the largest difference of two outputs, as a share of the largest expected logit (at least 1)."""
    if [len(row) for row in found] != [len(row) for row in expected]:
        return float("inf")
    scale = max((abs(value) for row in expected for value in row), default=1.0)
    return max((abs(a - b) for pair in _pairs(found, expected) for a, b in pair), default=0.0) / max(scale, 1.0)


def _pairs(one: Golden, other: Golden) -> list[Sequence[tuple[float, float]]]:
    return [list(zip(a, b, strict=True)) for a, b in zip(one, other, strict=True)]
