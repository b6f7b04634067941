"""A stack that computes loss and gradient in one call, over one flat parameter that one optimizer call steps."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from zoo.fused.native import Kernel, kernel
from zoo.fused.program import Slot
from zoo.fused.stack import Stack

ALIGNMENT = 64
"""Bytes that vectors are aligned to."""
SHARED = 5e7
"""Multiply-adds of a step from which on it is shared among threads; for less, waiting for them costs more."""


class Fused(Module):
    """A net beside its compiled step. The net's parameters are views of one flat parameter, `flat`, until `release`.

    Args:
        net: The net, on the CPU.
        stack: What it computes.

    Attributes:
        classes: Number of logits, K.
        dtype: float32 or float64.

    Raises:
        ConfigError: There is no compiled step for this processor.
    """

    def __init__(self, net: Module, stack: Stack) -> None:
        super().__init__()
        self._net = (net,)  # no submodule: its parameters are views of `flat`, and are trained once
        parameters = stack.parameters()
        shape, dtype = stack.shape(), parameters[0].dtype
        self.classes, self.dtype, self._kernel = shape.classes, dtype, kernel(shape)
        flat = _aligned(self._kernel.stride, dtype)[: sum(each.numel() for each in parameters)]
        for part, parameter in zip(flat.split([p.numel() for p in parameters]), parameters, strict=True):
            parameter.data = part.copy_(parameter.data.flatten()).view_as(parameter)
        self.flat = Parameter(flat)
        self._gradient = _aligned(self._kernel.stride, dtype)
        self._call = Call(self._kernel, dtype)
        self._call.hold(Slot.PARAMETERS, flat)
        self._call.hold(Slot.GRADIENT, self._gradient)
        if stack.positions is not None:
            self._call.hold(Slot.POSITIONS, stack.positions.to(dtype).contiguous())

    def train(self, mode: bool = True) -> Fused:
        """Put the net in training or evaluation mode."""
        self._net[0].train(mode)
        return super().train(mode)

    def forward(self, images: Tensor) -> Tensor:
        """Return the net's own logits (B, K) for images (B, C, H, W)."""
        logits: Tensor = self._net[0](images)
        return logits

    def cross_entropy(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss of a batch, how many answers are right, and the gradient of `flat`.

        Args:
            images: What the net takes, (B, C, H, W).
            targets: Weight of each class in the loss, (B, K): the loss is the sum of targets (log sum exp z - z).

        Returns:
            Two scalars, and (P), which the next call overwrites.
        """
        loss, right = self._call.step(images.contiguous(), targets.contiguous()).unbind()
        return loss, right, self._gradient[: len(self.flat)]

    def release(self) -> None:
        """Give the net parameters of their own again."""
        for parameter in self._net[0].parameters():
            parameter.data = parameter.data.clone()


class Call:
    """The arguments of a step, and the memory it works in.

    Args:
        kernel: The step.
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

    def step(self, images: Tensor, targets: Tensor) -> Tensor:
        """Run forward and backward over a batch; return loss and number of right answers, (2)."""
        self._make_room(len(images))
        totals = torch.empty(2, dtype=self._dtype)
        arguments = self._arguments
        arguments[Slot.IMAGES], arguments[Slot.TARGETS] = images.data_ptr(), targets.data_ptr()
        arguments[Slot.TOTALS], arguments[Slot.BATCH] = totals.data_ptr(), len(images)
        self._kernel.step(self._address)
        return totals

    def _make_room(self, batch: int) -> None:
        """Have memory for the groups of a batch and for the threads that share it."""
        if batch > self._batch:
            self._batch, groups = batch, -(-batch // self._kernel.lanes)
            self.hold(Slot.PARTS, _aligned(groups * self._kernel.stride, self._dtype))
            self.hold(Slot.SCORES, _aligned(2 * groups, self._dtype))
        is_shared = self._kernel.is_parallel and batch * self._kernel.work > SHARED
        threads = torch.get_num_threads() if is_shared else 1
        if threads != self._threads:
            self._threads = self._arguments[Slot.THREADS] = threads
            numbers = threads * self._kernel.vectors * self._kernel.lanes
            self.hold(Slot.WORKSPACE, _aligned(numbers, self._dtype))


def _aligned(numbers: int, dtype: torch.dtype) -> Tensor:
    """Return zeros that begin where a vector may."""
    whole = torch.zeros(numbers + ALIGNMENT // dtype.itemsize, dtype=dtype)
    first = -whole.data_ptr() % ALIGNMENT // dtype.itemsize
    return whole[first : first + numbers]
