"""Means of what training saw and of scores: sums and counts, so that they are exact over batches and processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.nn import Module

from zoo.data import Batch
from zoo.fused import fuse_inference
from zoo.tasks import Tally, Task
from zoo.training.distributed import ProcessGroup


def add_tally(sums: dict[str, Any], tally: Tally) -> None:
    """Add sums and counts by name."""
    for name, (total, count) in tally.items():
        before, num = sums.get(name, (0.0, 0))
        sums[name] = (before + total, num + count)


def compute_means(sums: Mapping[str, Any], group: ProcessGroup) -> dict[str, float]:
    """Return sum / count by name over all processes, fetched from the device once."""
    if not sums:
        return {}
    dtype = torch.float32 if group.device.type == "mps" else torch.float64
    counts = torch.tensor([num for _, num in sums.values()], dtype=dtype, device=group.device)
    totals = torch.stack([torch.stack([total.to(dtype) for total, _ in sums.values()]), counts], dim=1)
    totals = group.reduce_sum(totals)
    return {name: total / count for name, (total, count) in zip(sums, totals.tolist(), strict=True)}


def score_batches(
    nets: Mapping[str, Module], task: Task, batches: Iterable[Batch], group: ProcessGroup
) -> dict[str, float]:
    """Return the means of a task's tally over batches; nets are in eval mode, and the same in all processes."""
    modes = {name: net.training for name, net in nets.items()}
    for net in nets.values():
        net.eval()
        group.sync_buffers(net)
    sums: dict[str, Any] = {}
    with torch.no_grad():
        asked = {name: fuse_inference(net) for name, net in nets.items()}
        for batch in batches:
            add_tally(sums, task.tally(asked, batch))
    for name, net in nets.items():
        net.train(modes[name])
    return compute_means(sums, group)
