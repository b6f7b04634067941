"""Modules that run compiled programs: `FusedStep` for training, and `FusedForward` for inference."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from zoo.fused.call import ProgramCall, allocate_aligned
from zoo.fused.codegen.program import Slot
from zoo.fused.compiler import compile_kernel
from zoo.fused.stack import Stack


class FusedStep(Module):
    """A net with its compiled training step.

    The parameters of the net are views of one flat parameter, `flat`, until `release`.

    Args:
        net: The net, on the CPU.
        stack: The description of the net.

    Attributes:
        num_classes: Number of logits, K.
        dtype: float32 or float64.

    Raises:
        ConfigError: The step cannot be compiled for this processor.
    """

    def __init__(self, net: Module, stack: Stack) -> None:
        super().__init__()
        self._net = (net,)  # not a submodule: its parameters are views of `flat`, which is trained instead
        parameters = stack.parameters()
        layout, dtype = stack.layout(), parameters[0].dtype
        self.num_classes, self.dtype, self._kernel = layout.num_classes, dtype, compile_kernel(layout, backward=True)
        flat = allocate_aligned(self._kernel.gradient_stride, dtype)[: sum(each.numel() for each in parameters)]
        for part, parameter in zip(flat.split([p.numel() for p in parameters]), parameters, strict=True):
            parameter.data = part.copy_(parameter.data.flatten()).view_as(parameter)
        self.flat = Parameter(flat)
        self._gradient = allocate_aligned(self._kernel.gradient_stride, dtype)
        self._call = ProgramCall(self._kernel, dtype)
        self._call.bind(Slot.PARAMETERS, flat)
        self._call.bind(Slot.GRADIENT, self._gradient)
        if stack.positions is not None:
            self._call.bind(Slot.POSITIONS, stack.positions.to(dtype).contiguous())

    def train(self, mode: bool = True) -> FusedStep:
        """Put the net in training or evaluation mode."""
        self._net[0].train(mode)
        return super().train(mode)

    def forward(self, images: Tensor) -> Tensor:
        """Return the net's own logits (B, K) for images (B, C, H, W)."""
        logits: Tensor = self._net[0](images)
        return logits

    def cross_entropy(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss of a batch, its number of correct predictions, and the gradient of `flat`.

        Args:
            images: Input of the net, (B, C, H, W).
            targets: Weight of each class in the loss, (B, K): the loss is the sum of targets (log sum exp z - z).

        Returns:
            Two scalars, and the gradient (P), which the next call overwrites.
        """
        loss, num_correct = self._call.run_step(images.contiguous(), targets.contiguous()).unbind()
        return loss, num_correct, self._gradient[: len(self.flat)]

    def release(self) -> None:
        """Copy the parameters of the net into tensors of their own again."""
        for parameter in self._net[0].parameters():
            parameter.data = parameter.data.clone()


class FusedForward(Module):
    """The compiled forward pass of a net; each call uses the current values of the net's parameters.

    Args:
        stack: The description of the net, on the CPU.

    Raises:
        ConfigError: The program cannot be compiled for this processor.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack_parameters, layout = tuple(stack.parameters()), stack.layout()
        self._parameter_ids = {id(each) for each in self._stack_parameters}
        self._dtype, self._num_classes = self._stack_parameters[0].dtype, layout.num_classes
        self._call = ProgramCall(compile_kernel(layout, backward=False), self._dtype)
        self._lock = Lock()  # several threads may call at once, and there is one workspace
        if stack.positions is not None:
            self._call.bind(Slot.POSITIONS, stack.positions.to(self._dtype).contiguous())

    def is_current_for(self, net: Module) -> bool:
        """Return whether a net still has these parameters, and no forward hook, which would not be called."""
        for module in net.modules():
            if module._forward_hooks or module._forward_pre_hooks:
                return False
            if not all(id(each) in self._parameter_ids for each in module._parameters.values() if each is not None):
                return False
        return all(each.dtype is self._dtype and each.is_cpu for each in self._stack_parameters)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the net's parameters."""
        return iter(self._stack_parameters)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, C, H, W), without gradients."""
        flat = torch.cat([parameter.detach().flatten() for parameter in self._stack_parameters])
        with self._lock:
            self._call.bind(Slot.PARAMETERS, flat)
            return self._call.run_forward(images.contiguous(), self._num_classes)
