"""The arguments of a compiled program, and the memory it works in."""

from __future__ import annotations

import ctypes
import time

import torch
from torch import Tensor

from zoo.fused.codegen.program import Slot
from zoo.fused.compiler import Kernel

ALIGNMENT = 64
"""Bytes that vectors are aligned to."""
ALONE, SHARED = 1e6, 5e7
"""Multiply-adds up to which one thread does them, and from which on all do; between the two, time tells."""


class Call:
    """Calls a program, batch after batch.

    Args:
        kernel: The program.
        dtype: float32 or float64.
    """

    def __init__(self, kernel: Kernel, dtype: torch.dtype) -> None:
        self._kernel, self._dtype = kernel, dtype
        self._arguments = (ctypes.c_int64 * len(Slot))()
        self._address = ctypes.addressof(self._arguments)
        self._held: dict[Slot, Tensor] = {}
        self._batch = self._threads = 0

    def hold(self, slot: Slot, tensor: Tensor) -> None:
        """Pass a tensor's address in every call."""
        self._held[slot] = tensor
        self._arguments[slot] = tensor.data_ptr()

    def learn(self, images: Tensor, targets: Tensor) -> Tensor:
        """Run forward and backward over a batch; return loss and number of right answers, (2)."""
        totals = torch.empty(2, dtype=self._dtype)
        arguments = self._arguments
        arguments[Slot.TARGETS], arguments[Slot.TOTALS] = targets.data_ptr(), totals.data_ptr()
        self._run(images)
        return totals

    def answer(self, images: Tensor, classes: int) -> Tensor:
        """Return the logits of a batch, (B, K)."""
        logits = torch.empty(len(images), classes, dtype=self._dtype)
        self._arguments[Slot.LOGITS] = logits.data_ptr()
        self._run(images)
        return logits

    def _run(self, images: Tensor) -> None:
        batch = images.shape[0]
        work = batch * self._kernel.work if self._kernel.is_parallel else 0
        is_timed = ALONE < work <= SHARED
        self._make_room(batch, is_shared=self._kernel.pace.is_shared if is_timed else work > SHARED)
        self._arguments[Slot.IMAGES], self._arguments[Slot.BATCH] = images.data_ptr(), batch
        if not is_timed:
            self._kernel.run(self._address)
            return
        started = time.perf_counter()
        self._kernel.run(self._address)
        self._kernel.pace.took(time.perf_counter() - started)

    def _make_room(self, batch: int, *, is_shared: bool) -> None:
        """Have memory for the groups of a batch and for the threads that share it."""
        groups = -(-batch // self._kernel.lanes)
        if batch > self._batch:
            self._batch = batch
            parts = groups * self._kernel.stride if self._kernel.learns else 0
            self.hold(Slot.PARTS, aligned(parts, self._dtype))
            self.hold(Slot.SCORES, aligned(2 * groups, self._dtype))
        threads = min(torch.get_num_threads(), groups) if is_shared else 1
        if threads != self._threads:
            self._threads = self._arguments[Slot.THREADS] = threads
            numbers = threads * self._kernel.vectors * self._kernel.lanes
            self.hold(Slot.WORKSPACE, aligned(numbers, self._dtype))


def aligned(numbers: int, dtype: torch.dtype) -> Tensor:
    """Return zeros that begin where a vector may."""
    whole = torch.zeros(numbers + ALIGNMENT // dtype.itemsize, dtype=dtype)
    first = -whole.data_ptr() % ALIGNMENT // dtype.itemsize
    return whole[first : first + numbers]
