"""Call a compiled program: bind its arguments, and allocate the memory that it works in."""

from __future__ import annotations

import ctypes
import time

import torch
from torch import Tensor

from zoo.fused.codegen.program import Slot
from zoo.fused.compiler import Kernel

ALIGNMENT = 64
"""Alignment of vectors, in bytes."""
SINGLE_THREAD_WORK, ALL_THREADS_WORK = 1e6, 5e7
"""Multiply-adds of a batch up to which one thread computes it, and above which all threads do.

Between the two, a `ThreadTuner` measures which is faster.
"""


class ProgramCall:
    """Calls a compiled program for one batch after another.

    Args:
        kernel: The compiled program.
        dtype: float32 or float64.
    """

    def __init__(self, kernel: Kernel, dtype: torch.dtype) -> None:
        self._kernel, self._dtype = kernel, dtype
        self._arguments = (ctypes.c_int64 * len(Slot))()
        self._address = ctypes.addressof(self._arguments)
        self._tensors: dict[Slot, Tensor] = {}
        self._capacity = self._num_threads = 0

    def bind(self, slot: Slot, tensor: Tensor) -> None:
        """Pass the address of a tensor in every call from now on."""
        self._tensors[slot] = tensor
        self._arguments[slot] = tensor.data_ptr()

    def run_step(self, images: Tensor, targets: Tensor) -> Tensor:
        """Run forward and backward over a batch; return loss and number of correct predictions, (2)."""
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
        multithreaded = self._kernel.thread_tuner.is_multithreaded if is_timed else work > ALL_THREADS_WORK
        self._allocate(batch, multithreaded=multithreaded)
        self._arguments[Slot.IMAGES], self._arguments[Slot.BATCH] = images.data_ptr(), batch
        if not is_timed:
            self._kernel.run(self._address)
            return
        start = time.perf_counter()
        self._kernel.run(self._address)
        self._kernel.thread_tuner.record(time.perf_counter() - start)

    def _allocate(self, batch: int, *, multithreaded: bool) -> None:
        """Allocate memory for the groups of a batch and for the threads that share it."""
        num_groups = -(-batch // self._kernel.lanes)
        if batch > self._capacity:
            self._capacity = batch
            num_values = num_groups * self._kernel.gradient_stride if self._kernel.has_backward else 0
            self.bind(Slot.GROUP_GRADIENTS, allocate_aligned(num_values, self._dtype))
            self.bind(Slot.GROUP_TOTALS, allocate_aligned(2 * num_groups, self._dtype))
        num_threads = min(torch.get_num_threads(), num_groups) if multithreaded else 1
        if num_threads != self._num_threads:
            self._num_threads = self._arguments[Slot.THREADS] = num_threads
            num_values = num_threads * self._kernel.num_vectors * self._kernel.lanes
            self.bind(Slot.WORKSPACE, allocate_aligned(num_values, self._dtype))


def allocate_aligned(num_values: int, dtype: torch.dtype) -> Tensor:
    """Return zeros, (num_values), that begin at an aligned address."""
    padded = torch.zeros(num_values + ALIGNMENT // dtype.itemsize, dtype=dtype)
    first = -padded.data_ptr() % ALIGNMENT // dtype.itemsize
    return padded[first : first + num_values]
