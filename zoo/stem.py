"""Fit another library's net to small images: other channels, a stem that keeps small pictures whole, a trial run."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Conv2d, Identity, MaxPool2d, Module

from zoo.errors import ConfigError


def _first(net: Module) -> tuple[str, Conv2d]:
    for name, module in net.named_modules():
        if isinstance(module, Conv2d):
            return name, module
    raise ConfigError("the net has no convolution to change; leave channels and stem as they are")


def _put(net: Module, name: str, module: Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(net.get_submodule(parent), last, module)


def _like(conv: Conv2d, **changes: int | tuple[int, int]) -> Conv2d:
    """Return a fresh convolution like another, but for some changes."""
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    settings = {name: getattr(conv, name) for name in names} | changes
    return type(conv)(**settings, bias=conv.bias is not None)


def with_channels(net: Module, channels: int) -> Module:
    """Give the first convolution another number of image channels, with fresh weights."""
    name, conv = _first(net)
    if conv.in_channels != channels:
        _put(net, name, _like(conv, in_channels=channels))
    return net


def small_stem(net: Module) -> Module:
    """Let the first layers keep the size of the image, as is done for pictures of 32 x 32 pixels and less.

    The first convolution becomes one of 3 x 3 with stride 1, and a max-pool between it and the next convolution goes
    (He et al. 2016, section 4.2).
    """
    name, conv = _first(net)
    is_next = False
    for other, module in list(net.named_modules()):
        if is_next and isinstance(module, Conv2d):
            break
        if is_next and isinstance(module, MaxPool2d):
            _put(net, other, Identity())
        is_next = is_next or other == name
    _put(net, name, _like(conv, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), dilation=(1, 1)))
    return net


def tried(net: Module, *, name: str, size: tuple[int, int], channels: int, classes: int) -> Module:
    """Return the net if it answers an image of its size with logits (1, K).

    Raises:
        ConfigError: It does not; mostly the image is smaller than the net divides it.
    """
    mode = net.training
    try:
        with torch.no_grad():
            found = net.eval()(torch.zeros(2, channels, *size))
    except Exception as error:
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        mend = "give it larger ones, such as size=64, or keep small ones whole with stem='small'"
        raise ConfigError(f"{name} cannot take images of {size[0]} x {size[1]} ({told}); {mend}") from error
    finally:
        net.train(mode)
    if not isinstance(found, Tensor) or tuple(found.shape) != (2, classes):
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ConfigError(f"{name} is no classifier: it answers 2 images with {shape}, not with (2, {classes})")
    return net
