"""Fit another library's net to small images: other channels, a stem that keeps small pictures whole, a trial run."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import Conv2d, Identity, MaxPool2d, Module

from zoo.errors import ConfigError, ZooError

Size = tuple[int, int]


def _find_first_conv(net: Module) -> tuple[str, Conv2d]:
    for name, module in net.named_modules():
        if isinstance(module, Conv2d):
            return name, module
    raise ConfigError("the net has no convolution to change; leave channels and stem as they are")


def _replace_module(net: Module, name: str, module: Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(net.get_submodule(parent), last, module)


def _copy_conv(conv: Conv2d, **changes: int | tuple[int, int]) -> Conv2d:
    """Return a fresh convolution like another, but for some changes."""
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    settings = {name: getattr(conv, name) for name in names} | changes
    return type(conv)(**settings, bias=conv.bias is not None)


def set_input_channels(net: Module, channels: int) -> Module:
    """Give the first convolution another number of image channels, with fresh weights."""
    name, conv = _find_first_conv(net)
    if conv.in_channels != channels:
        _replace_module(net, name, _copy_conv(conv, in_channels=channels))
    return net


def use_small_stem(net: Module) -> Module:
    """Let the first layers keep the size of the image, as is done for pictures of 32 x 32 pixels and less.

    The first convolution becomes one of 3 x 3 with stride 1, and a max-pool between it and the next convolution goes
    (He et al. 2016, section 4.2).
    """
    name, conv = _find_first_conv(net)
    is_next = False
    for other, module in list(net.named_modules()):
        if is_next and isinstance(module, Conv2d):
            break
        if is_next and isinstance(module, MaxPool2d):
            _replace_module(net, other, Identity())
        is_next = is_next or other == name
    _replace_module(net, name, _copy_conv(conv, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), dilation=(1, 1)))
    return net


def build_checked(
    build: Callable[[], Module],
    *,
    name: str,
    size: Size,
    channels: int,
    num_classes: int,
    stem: str = "own",
    get_native_size: Callable[[], Size],
) -> Module:
    """Make a net and return it if it answers two images of its size with logits (2, K).

    Args:
        build: Makes it.
        name: What it is called in errors.
        size: Height and width of the images.
        channels: Their channels.
        num_classes: Number of classes, K.
        stem: `small` if its first layers were changed to keep small images whole.
        get_native_size: Returns the size of images that it was published for; called only when it does not take these.

    Raises:
        ConfigError: It does not; mostly the image is smaller than the net divides it.
    """
    try:
        net = build()
        found = _run_net(net, torch.zeros(2, channels, *size))
    except ZooError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
        mend = _suggest_fix(size, get_native_size(), stem)
        raise ConfigError(f"{name} cannot take images of {size[0]} x {size[1]} ({told}); {mend}") from error
    if not isinstance(found, Tensor) or tuple(found.shape) != (2, num_classes):
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        told = f"{name} is no classifier: it answers 2 images with {shape}, not with (2, {num_classes})"
        raise ConfigError(f"{told}; zoo list '{name.partition(':')[0]}:*' shows others")
    return net


def _run_net(net: Module, images: Tensor) -> object:
    """Return what a net in eval mode answers, and leave its mode as it was."""
    mode = net.training
    try:
        with torch.no_grad():
            return net.eval()(images)
    finally:
        net.train(mode)


def _suggest_fix(size: Size, native_size: Size, stem: str) -> str:
    """Return what to do with a net that does not take images of a size, but those it was published for."""
    side = native_size[0] if native_size[0] == native_size[1] else native_size
    if size == native_size:
        return "stem='own' may take them" if stem == "small" else "choose another net"
    if stem == "small":
        return f"it was published for {native_size[0]} x {native_size[1]}: give it size={side} and stem='own'"
    return f"it was published for {native_size[0]} x {native_size[1]}: give it size={side}, or try stem='small' for small images"
