"""Whether a net is trained in one piece: chosen by itself, or as a recipe says."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch.nn import Module

from zoo.errors import ConfigError
from zoo.fused.stack import Stack, Stacked


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
        from zoo.fused.player import Fused

        try:
            return Fused(net, stack)
        except ConfigError as error:
            why = str(error)
    if kernels == "fused":
        raise ConfigError(f"kernels='fused' is not possible: {why}; use 'auto' or 'torch'")
    return net


def released(net: Module) -> None:
    """Give what `fused` put beside its step parameters of its own again; leave every other net as it is."""
    release = getattr(net, "release", None)
    if release is not None:
        release()


def _obstacle(net: Module, stack: Stack | None) -> str:
    """Return why a net cannot be trained in one piece, or nothing."""
    if stack is None:
        return "the net is no stack of graph convolutions over one grid"
    own, parameters = {id(each) for each in net.parameters()}, stack.parameters()
    if not stack.graph.is_product:
        return "the grid has not 8 neighbours and self-loops"
    if own != {id(each) for each in parameters} or len(own) != len(parameters):
        return "the net has other parameters than its stack"
    if not all(each.requires_grad for each in parameters):
        return "some parameters are frozen"
    if {each.dtype for each in parameters} not in ({torch.float32}, {torch.float64}):
        return "the parameters are not all float32, or all float64"
    if parameters[0].device.type != "cpu":
        return f"the net is on {parameters[0].device}"
    return "" if find_spec("llvmlite") else "llvmlite is not installed (pip install llvmlite)"
