"""Decide whether a net is computed by a compiled program, and check that the program computes the same."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import Module

from zoo.errors import ConfigError
from zoo.fused.stack import Stack, SupportsStack

if TYPE_CHECKING:
    from zoo.fused.modules import FusedForward, FusedStep

TOLERANCE = 1e-3
"""Largest relative difference from the net's own `forward` at which a compiled program is used."""
MISMATCH_MESSAGE = "the net's forward() does not compute what its stack() describes"
_FORWARDS: WeakKeyDictionary[Module, FusedForward] = WeakKeyDictionary()
"""The compiled forward pass of each net that predicted something, as long as the net lives."""


def fuse_training(net: Module, kernels: str) -> Module:
    """Return the net with its compiled training step, or the net itself where none can be compiled.

    Only a stack of graph convolutions over one grid can be compiled; see `Stack`.

    Args:
        net: The net.
        kernels: `auto`; `torch` returns the net itself; `fused` raises instead of returning the net itself.

    Raises:
        ConfigError: `kernels` is `fused`, and no step can be compiled; the message says why.
    """
    if kernels == "torch":
        return net
    stack = net.stack() if isinstance(net, SupportsStack) else None
    reason = _obstacle(net, stack)
    if not reason and stack is not None:
        from zoo.fused.modules import FusedStep

        try:
            step = FusedStep(net, stack)
        except ConfigError as error:
            reason = str(error)
        else:
            if _is_same_loss(net, step, stack):
                return step
            step.release()
            reason = MISMATCH_MESSAGE
    if kernels == "fused":
        raise ConfigError(f"kernels='fused' is not possible: {reason}; use 'auto' or 'torch'")
    return net


def unfuse(net: Module) -> None:
    """Undo `fuse_training`: copy the parameters back into tensors of their own. Other nets are left as they are."""
    release = getattr(net, "release", None)
    if release is not None:
        release()


def fuse_inference(net: Module) -> Module:
    """Return the compiled forward pass of a net, without gradients, or the net itself where none can be compiled."""
    forward = _FORWARDS.get(net)
    if forward is None or not forward.is_current_for(net):
        forward = _compile_forward(net)
        if forward is None:
            return net
        _FORWARDS[net] = forward
    return forward


def _compile_forward(net: Module) -> FusedForward | None:
    stack = net.stack() if isinstance(net, SupportsStack) else None
    if stack is None or _obstacle(net, stack, training=False):
        return None
    from zoo.fused.modules import FusedForward

    try:
        forward = FusedForward(stack)
    except ConfigError:
        return None  # nothing can be compiled for this processor: the net runs layer by layer
    return forward if forward.is_current_for(net) and _is_same_output(net, forward, stack) else None


def _is_same_loss(net: Module, step: FusedStep, stack: Stack) -> bool:
    """Return whether a compiled step computes the same loss as the net's own `forward`."""
    images = _probe_images(stack)
    with torch.no_grad():
        logits = net(images)
    targets = torch.arange(logits.numel()).view_as(logits).cos().to(logits)
    targets -= targets.mean(1, keepdim=True)  # weights that sum to zero cancel the log sum exp
    loss = step.cross_entropy(images, targets)[0]
    return bool((loss + (targets * logits).sum()).abs() <= TOLERANCE * (targets * logits).abs().sum())


def _is_same_output(net: Module, forward: FusedForward, stack: Stack) -> bool:
    """Return whether a compiled forward pass computes the same logits as the net's own `forward`."""
    images = _probe_images(stack)
    with torch.no_grad():
        expected = net(images)
    largest = float(expected.nan_to_num().abs().max())
    return torch.allclose(forward(images), expected, rtol=TOLERANCE, atol=TOLERANCE * largest, equal_nan=True)


def _probe_images(stack: Stack) -> Tensor:
    """Return two images (2, C, H, W), without using random numbers."""
    shape = (2, stack.channels, stack.graph.height, stack.graph.width)
    return torch.arange(math.prod(shape)).view(shape).mul(0.7).sin().to(stack.parameters()[0].dtype)


def _obstacle(net: Module, stack: Stack | None, *, training: bool = True) -> str:
    """Return why no training step (or forward pass) can be compiled for a net, or an empty string."""
    if stack is None:
        return "the net is not a stack of graph convolutions over one grid"
    parameters = stack.parameters()
    net_ids, stack_ids = ({id(each) for each in group} for group in (net.parameters(), parameters))
    if not stack.graph.is_product:
        return "the grid does not have 8 neighbours and self-loops"
    if net_ids != stack_ids or len(net_ids) != len(parameters):
        return "the net and its stack do not have the same parameters"
    if training and not all(each.requires_grad for each in parameters):
        return "some parameters are frozen"
    if {each.dtype for each in parameters} not in ({torch.float32}, {torch.float64}):
        return "the parameters are not all float32, or all float64"
    if parameters[0].device.type != "cpu":
        return f"the net is on {parameters[0].device}"
    return "" if find_spec("llvmlite") else "llvmlite is not installed (pip install llvmlite)"
