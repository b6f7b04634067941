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
from zoo.fused.stack import Stack, Stacked

if TYPE_CHECKING:
    from zoo.fused.modules import Answering, Fused

CLOSE = 1e-3
"""How near a compiled program comes to the net's own `forward`, or it is not used."""
DIFFERS = "the net's forward() does not compute what its stack() says"
_ANSWERING: WeakKeyDictionary[Module, Answering] = WeakKeyDictionary()
"""The compiled forward pass of each net that was asked, as long as the net lives."""


def fused(net: Module, kernels: str) -> Module:
    """Return a net beside its compiled step, where it is a stack of graph convolutions that one can be made for.

    Args:
        net: The net.
        kernels: `auto`; `torch` leaves the net as it is; `fused` makes it an error that there is no such step.

    Raises:
        ConfigError: `kernels` is `fused`, and the net has no such step here; the message says why.
    """
    if kernels == "torch":
        return net
    stack = net.stack() if isinstance(net, Stacked) else None
    why = _obstacle(net, stack)
    if not why and stack is not None:
        from zoo.fused.modules import Fused

        try:
            made = Fused(net, stack)
        except ConfigError as error:
            why = str(error)
        else:
            if _learns_alike(net, made, stack):
                return made
            made.release()
            why = DIFFERS
    if kernels == "fused":
        raise ConfigError(f"kernels='fused' is not possible: {why}; use 'auto' or 'torch'")
    return net


def released(net: Module) -> None:
    """Give what `fused` put beside its step parameters of its own again; leave every other net as it is."""
    release = getattr(net, "release", None)
    if release is not None:
        release()


def answering(net: Module) -> Module:
    """Return what answers as a net does, without gradients: its compiled forward pass where it has one, or itself."""
    found = _ANSWERING.get(net)
    if found is None or not found.is_of(net):
        found = _compiled(net)
        if found is None:
            return net
        _ANSWERING[net] = found
    return found


def _compiled(net: Module) -> Answering | None:
    stack = net.stack() if isinstance(net, Stacked) else None
    if stack is None or _obstacle(net, stack, is_trained=False):
        return None
    from zoo.fused.modules import Answering

    try:
        made = Answering(stack)
    except ConfigError:
        return None  # this processor has no program: the net answers layer by layer
    return made if made.is_of(net) and _answers_alike(net, made, stack) else None


def _learns_alike(net: Module, made: Fused, stack: Stack) -> bool:
    """Return whether a compiled step has the loss of the net's own `forward`."""
    images = _pattern(stack)
    with torch.no_grad():
        logits = net(images)
    targets = torch.arange(logits.numel()).view_as(logits).cos().to(logits)
    targets -= targets.mean(1, keepdim=True)  # of a loss whose weights sum to zero, only the logits are left
    loss = made.cross_entropy(images, targets)[0]
    return bool((loss + (targets * logits).sum()).abs() <= CLOSE * (targets * logits).abs().sum())


def _answers_alike(net: Module, made: Answering, stack: Stack) -> bool:
    """Return whether a compiled forward pass has the logits of the net's own `forward`."""
    images = _pattern(stack)
    with torch.no_grad():
        expected = net(images)
    largest = float(expected.nan_to_num().abs().max())
    return torch.allclose(made(images), expected, rtol=CLOSE, atol=CLOSE * largest, equal_nan=True)


def _pattern(stack: Stack) -> Tensor:
    """Return two images (2, C, H, W) without drawing at random."""
    shape = (2, stack.channels, stack.graph.height, stack.graph.width)
    return torch.arange(math.prod(shape)).view(shape).mul(0.7).sin().to(stack.parameters()[0].dtype)


def _obstacle(net: Module, stack: Stack | None, *, is_trained: bool = True) -> str:
    """Return why a net cannot be trained (or asked) in one piece, or nothing."""
    if stack is None:
        return "the net is no stack of graph convolutions over one grid"
    own, parameters = {id(each) for each in net.parameters()}, stack.parameters()
    if not stack.graph.is_product:
        return "the grid has not 8 neighbours and self-loops"
    if own != {id(each) for each in parameters} or len(own) != len(parameters):
        return "the net has other parameters than its stack"
    if is_trained and not all(each.requires_grad for each in parameters):
        return "some parameters are frozen"
    if {each.dtype for each in parameters} not in ({torch.float32}, {torch.float64}):
        return "the parameters are not all float32, or all float64"
    if parameters[0].device.type != "cpu":
        return f"the net is on {parameters[0].device}"
    return "" if find_spec("llvmlite") else "llvmlite is not installed (pip install llvmlite)"
