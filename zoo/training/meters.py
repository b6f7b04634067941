"""Compute means of losses and scores from sums and counts, which are exact over batches and processes."""

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
    """Add a batch's sums and counts to `sums`, by name."""
    for name, (total, count) in tally.items():
        total_before, count_before = sums.get(name, (0.0, 0))
        sums[name] = (total_before + total, count_before + count)


def compute_means(sums: Mapping[str, Any], group: ProcessGroup) -> dict[str, float]:
    """Return sum / count by name over all processes, with one transfer from the device."""
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
    """Return the means of a task's tally over batches, with the nets in eval mode.

    All processes score the same nets: running statistics are those of the first process. Afterwards each net is in the
    mode it was in before.
    """
    modes = {name: net.training for name, net in nets.items()}
    for net in nets.values():
        net.eval()
        group.sync_buffers(net)
    sums: dict[str, Any] = {}
    with torch.no_grad():
        fused = {name: fuse_inference(net) for name, net in nets.items()}
        for batch in batches:
            add_tally(sums, task.tally(fused, batch))
    for name, net in nets.items():
        net.train(modes[name])
    return compute_means(sums, group)
