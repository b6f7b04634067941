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
SINGLE_THREAD_WORK, ALL_THREADS_WORK = 1e6, 5e7
"""Multiply-adds up to which one thread does them, and from which on all do; between the two, time tells."""


class ProgramCall:
    """Calls a program, batch after batch.

    Args:
        kernel: The program.
        dtype: float32 or float64.
    """

    def __init__(self, kernel: Kernel, dtype: torch.dtype) -> None:
        self._kernel, self._dtype = kernel, dtype
        self._arguments = (ctypes.c_int64 * len(Slot))()
        self._address = ctypes.addressof(self._arguments)
        self._tensors: dict[Slot, Tensor] = {}
        self._capacity = self._num_threads = 0

    def bind(self, slot: Slot, tensor: Tensor) -> None:
        """Pass a tensor's address in every call."""
        self._tensors[slot] = tensor
        self._arguments[slot] = tensor.data_ptr()

    def run_step(self, images: Tensor, targets: Tensor) -> Tensor:
        """Run forward and backward over a batch; return loss and number of right answers, (2)."""
        totals = torch.empty(2, dtype=self._dtype)
        arguments = self._arguments
        arguments[Slot.TARGETS], arguments[Slot.TOTALS] = targets.data_ptr(), totals.data_ptr()
        self._run(images)
        return totals

    def run_forward(self, images: Tensor, num_classes: int) -> Tensor:
        """Return the logits of a batch, (B, K)."""
        logits = torch.empty(len(images), num_classes, dtype=self._dtype)
        self._arguments[Slot.LOGITS] = logits.data_ptr()
        self._run(images)
        return logits

    def _run(self, images: Tensor) -> None:
        batch = images.shape[0]
        work = batch * self._kernel.multiply_adds if self._kernel.is_parallel else 0
        is_timed = SINGLE_THREAD_WORK < work <= ALL_THREADS_WORK
        self._allocate(
            batch, multithreaded=self._kernel.thread_tuner.is_multithreaded if is_timed else work > ALL_THREADS_WORK
        )
        self._arguments[Slot.IMAGES], self._arguments[Slot.BATCH] = images.data_ptr(), batch
        if not is_timed:
            self._kernel.run(self._address)
            return
        started = time.perf_counter()
        self._kernel.run(self._address)
        self._kernel.thread_tuner.record(time.perf_counter() - started)

    def _allocate(self, batch: int, *, multithreaded: bool) -> None:
        """Have memory for the groups of a batch and for the threads that share it."""
        groups = -(-batch // self._kernel.lanes)
        if batch > self._capacity:
            self._capacity = batch
            parts = groups * self._kernel.gradient_stride if self._kernel.has_backward else 0
            self.bind(Slot.GROUP_GRADIENTS, allocate_aligned(parts, self._dtype))
            self.bind(Slot.GROUP_TOTALS, allocate_aligned(2 * groups, self._dtype))
        threads = min(torch.get_num_threads(), groups) if multithreaded else 1
        if threads != self._num_threads:
            self._num_threads = self._arguments[Slot.THREADS] = threads
            numbers = threads * self._kernel.num_vectors * self._kernel.lanes
            self.bind(Slot.WORKSPACE, allocate_aligned(numbers, self._dtype))


def allocate_aligned(num_values: int, dtype: torch.dtype) -> Tensor:
    """Return zeros that begin where a vector may."""
    whole = torch.zeros(num_values + ALIGNMENT // dtype.itemsize, dtype=dtype)
    first = -whole.data_ptr() % ALIGNMENT // dtype.itemsize
    return whole[first : first + num_values]
