"""Run a trained net over images in batches: in order, in eval mode, without gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Module

from zoo.errors import ConfigError
from zoo.fused import fuse_inference
from zoo.seeding import isolate_rng
from zoo.signature import Classes
from zoo.tasks import Task

BATCH_SIZE = 512


def run_batches(net: Module, task: Task, images: Tensor, *, batch_size: int = BATCH_SIZE) -> Tensor:
    """Return the task's predictions for images (N, C, H, W) or codes (N, Z + K), on the CPU and in order."""
    fused_net = fuse_inference(net)
    players = task.players(fused_net)
    with nullcontext() if fused_net is not net else _eval_mode(net):
        return _apply_in_batches(fused_net, lambda batch: task.predict(players, batch), images, batch_size)


def map_batches(
    net: Module, function: Callable[[Tensor], Tensor], images: Tensor, *, batch_size: int = BATCH_SIZE
) -> Tensor:
    """Apply `function` to batches of images (N, C, H, W) with the net in eval mode; return results on the CPU."""
    with _eval_mode(net):
        return _apply_in_batches(net, function, images, batch_size)


def _apply_in_batches(net: Module, function: Callable[[Tensor], Tensor], images: Tensor, batch_size: int) -> Tensor:
    device = next((parameter.device for parameter in net.parameters()), torch.device("cpu"))
    with torch.inference_mode():
        parts = [function(batch.to(device)).cpu() for batch in images.split(batch_size)]
    return torch.cat(parts).clone()


@contextmanager
def _eval_mode(net: Module) -> Iterator[None]:
    """Put a net in eval mode for the block; restore its mode and the random states at the end."""
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        with isolate_rng():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A class that an image may show, by name, with its probability."""

    name: str
    probability: float


def top_predictions(logits: Tensor, classes: Classes, top_k: int) -> list[list[Prediction]]:
    """Return the `top_k` most probable classes for each row of logits (N, K), best first."""
    best = logits.softmax(1).topk(min(top_k, len(classes)), 1)
    return [
        [Prediction(name=classes.names[k], probability=p) for p, k in zip(values, indices, strict=True)]
        for values, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


def check_top_k(top_k: int) -> int:
    """Return `top_k`.

    Raises:
        ConfigError: It is not a whole number of at least 1.
    """
    if not isinstance(top_k, int) or isinstance(top_k, bool) or top_k < 1:
        raise ConfigError(f"top_k is a whole number of at least 1, not {top_k!r}")
    return top_k
