"""Compute the outputs of a net on fixed images, to check that a saved model still computes the same."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.inference.runner import run_batches
from zoo.signature import Preprocessing
from zoo.task_info import CLASSIFICATION, TASK_INFO
from zoo.tasks import TASKS

NUM_IMAGES = 4
NUM_OUTPUTS = 64
"""Outputs stored per image."""
TOLERANCE = {"float64": 1e-3, "float32": 1e-3, "float16": 2e-2, "bfloat16": 1e-1}
"""Largest accepted difference by dtype, as a fraction of the largest logit: machines add in different orders."""
Golden = tuple[tuple[float, ...], ...]


def make_golden_images(preprocessing: Preprocessing) -> Tensor:
    """Return four images uint8 (4, C, H, W): noise in squares of 1, 2, 4 and 8 pixels.

    They depend only on the shape. The levels are the output of SHAKE-256, so they are the same on every machine.
    """
    height, width = preprocessing.size
    shape = (NUM_IMAGES, preprocessing.channels, height, width)
    stream = hashlib.shake_256(b"zoo golden images").digest(NUM_IMAGES * preprocessing.channels * height * width)
    noise = torch.frombuffer(bytearray(stream), dtype=torch.uint8).reshape(shape)
    coarse = [_coarsen(image, 2**power) for power, image in enumerate(noise)]
    return torch.stack(coarse)


def _coarsen(image: Tensor, side: int) -> Tensor:
    """Return an image (C, H, W) whose squares of `side` x `side` pixels have one level each."""
    small = image[:, ::side, ::side]
    return small.repeat_interleave(side, 1).repeat_interleave(side, 2)[:, : image.shape[1], : image.shape[2]]


def make_golden_codes(num_noise: int, num_labels: int) -> Tensor:
    """Return four codes (4, Z + K) for a generator: normal noise, from SHAKE-256 too, and the first four classes."""
    stream = hashlib.shake_256(b"zoo golden codes").digest(2 * NUM_IMAGES * num_noise)
    levels = torch.frombuffer(bytearray(stream), dtype=torch.uint8).reshape(2, NUM_IMAGES, num_noise).double()
    noise = torch.special.ndtri((256 * levels[0] + levels[1] + 0.5) / 65_536).float()
    labels = torch.zeros(NUM_IMAGES, num_labels)
    if num_labels:
        labels[range(NUM_IMAGES), [index % num_labels for index in range(NUM_IMAGES)]] = 1.0
    return torch.cat([noise, labels], 1)


def make_golden_inputs(net: Module, preprocessing: Preprocessing, task: str) -> Tensor:
    """Return the fixed inputs for a net of a task: four images, or four codes."""
    if not TASK_INFO[task].is_generative:
        return make_golden_images(preprocessing)
    generator: Any = net.generator
    return make_golden_codes(generator.num_noise, generator.num_labels)


def compute_golden_outputs(net: Module, preprocessing: Preprocessing, task: str = CLASSIFICATION.name) -> Golden:
    """Return up to 64 outputs for each fixed input, or an empty tuple if they are not finite.

    Of a classifier these are the first logits, of a generator pixels spread over the whole image.
    """
    outputs = run_batches(net, TASKS[task](preprocessing), make_golden_inputs(net, preprocessing, task)).flatten(1)
    step = max(1, outputs.shape[1] // NUM_OUTPUTS) if TASK_INFO[task].is_generative else 1
    rows = outputs[:, ::step][:, :NUM_OUTPUTS]
    return tuple(tuple(row) for row in rows.tolist()) if bool(torch.isfinite(rows).all()) else ()


def max_relative_difference(actual: Golden, expected: Golden) -> float:
    """Return the largest difference, as a fraction of the largest expected output (at least 1)."""
    if [len(row) for row in actual] != [len(row) for row in expected]:
        return float("inf")
    pairs = [
        pair
        for actual_row, expected_row in zip(actual, expected, strict=True)
        for pair in zip(actual_row, expected_row, strict=True)
    ]
    scale = max((abs(value) for _, value in pairs), default=1.0)
    return max((abs(a - b) for a, b in pairs), default=0.0) / max(scale, 1.0)
