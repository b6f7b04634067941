"""Whether a net is trained and asked in one piece: chosen by itself, or as a recipe says."""

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
"""How near a compiled program comes to the net's own `forward`, or it is not used."""
MISMATCH_MESSAGE = "the net's forward() does not compute what its stack() says"
_FORWARDS: WeakKeyDictionary[Module, FusedForward] = WeakKeyDictionary()
"""The compiled forward pass of each net that was asked, as long as the net lives."""


def fuse_training(net: Module, kernels: str) -> Module:
    """Return a net beside its compiled step, where it is a stack of graph convolutions that one can be made for.

    Args:
        net: The net.
        kernels: `auto`; `torch` leaves the net as it is; `fused` makes it an error that there is no such step.

    Raises:
        ConfigError: `kernels` is `fused`, and the net has no such step here; the message says why.
    """
    if kernels == "torch":
        return net
    stack = net.stack() if isinstance(net, SupportsStack) else None
    why = _obstacle(net, stack)
    if not why and stack is not None:
        from zoo.fused.modules import FusedStep

        try:
            made = FusedStep(net, stack)
        except ConfigError as error:
            why = str(error)
        else:
            if _is_same_loss(net, made, stack):
                return made
            made.release()
            why = MISMATCH_MESSAGE
    if kernels == "fused":
        raise ConfigError(f"kernels='fused' is not possible: {why}; use 'auto' or 'torch'")
    return net


def unfuse(net: Module) -> None:
    """Give what `fused` put beside its step parameters of its own again; leave every other net as it is."""
    release = getattr(net, "release", None)
    if release is not None:
        release()


def fuse_inference(net: Module) -> Module:
    """Return what answers as a net does, without gradients: its compiled forward pass where it has one, or itself."""
    found = _FORWARDS.get(net)
    if found is None or not found.is_current_for(net):
        found = _compile_forward(net)
        if found is None:
            return net
        _FORWARDS[net] = found
    return found


def _compile_forward(net: Module) -> FusedForward | None:
    stack = net.stack() if isinstance(net, SupportsStack) else None
    if stack is None or _obstacle(net, stack, training=False):
        return None
    from zoo.fused.modules import FusedForward

    try:
        made = FusedForward(stack)
    except ConfigError:
        return None  # this processor has no program: the net answers layer by layer
    return made if made.is_current_for(net) and _is_same_output(net, made, stack) else None


def _is_same_loss(net: Module, step: FusedStep, stack: Stack) -> bool:
    """Return whether a compiled step has the loss of the net's own `forward`."""
    images = _probe_images(stack)
    with torch.no_grad():
        logits = net(images)
    targets = torch.arange(logits.numel()).view_as(logits).cos().to(logits)
    targets -= targets.mean(1, keepdim=True)  # of a loss whose weights sum to zero, only the logits are left
    loss = step.cross_entropy(images, targets)[0]
    return bool((loss + (targets * logits).sum()).abs() <= TOLERANCE * (targets * logits).abs().sum())


def _is_same_output(net: Module, forward: FusedForward, stack: Stack) -> bool:
    """Return whether a compiled forward pass has the logits of the net's own `forward`."""
    images = _probe_images(stack)
    with torch.no_grad():
        expected = net(images)
    largest = float(expected.nan_to_num().abs().max())
    return torch.allclose(forward(images), expected, rtol=TOLERANCE, atol=TOLERANCE * largest, equal_nan=True)


def _probe_images(stack: Stack) -> Tensor:
    """Return two images (2, C, H, W) without drawing at random."""
    shape = (2, stack.channels, stack.graph.height, stack.graph.width)
    return torch.arange(math.prod(shape)).view(shape).mul(0.7).sin().to(stack.parameters()[0].dtype)


def _obstacle(net: Module, stack: Stack | None, *, training: bool = True) -> str:
    """Return why a net cannot be trained (or asked) in one piece, or nothing."""
    if stack is None:
        return "the net is no stack of graph convolutions over one grid"
    own, parameters = {id(each) for each in net.parameters()}, stack.parameters()
    if not stack.graph.is_product:
        return "the grid has not 8 neighbours and self-loops"
    if own != {id(each) for each in parameters} or len(own) != len(parameters):
        return "the net has other parameters than its stack"
    if training and not all(each.requires_grad for each in parameters):
        return "some parameters are frozen"
    if {each.dtype for each in parameters} not in ({torch.float32}, {torch.float64}):
        return "the parameters are not all float32, or all float64"
    if parameters[0].device.type != "cpu":
        return f"the net is on {parameters[0].device}"
    return "" if find_spec("llvmlite") else "llvmlite is not installed (pip install llvmlite)"
