"""Adapt a net of another library to small images: other channels, a stem that keeps the resolution, a test run."""

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
    raise ConfigError("the net has no convolution to change; leave channels and stem at their defaults")


def _replace_module(net: Module, name: str, module: Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(net.get_submodule(parent), last, module)


def _copy_conv(conv: Conv2d, **changes: int | tuple[int, int]) -> Conv2d:
    """Return a fresh convolution with the settings of another, and some changes."""
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    settings = {name: getattr(conv, name) for name in names} | changes
    return type(conv)(**settings, bias=conv.bias is not None)


def set_input_channels(net: Module, channels: int) -> Module:
    """Replace the first convolution by a fresh one for another number of image channels, if it differs."""
    name, conv = _find_first_conv(net)
    if conv.in_channels != channels:
        _replace_module(net, name, _copy_conv(conv, in_channels=channels))
    return net


def use_small_stem(net: Module) -> Module:
    """Change the first layers to keep the image size, as is usual for images up to 32 x 32 pixels.

    The first convolution becomes one of 3 x 3 with stride 1, and a max-pool between it and the next convolution is
    removed (He et al. 2016, section 4.2).
    """
    name, conv = _find_first_conv(net)
    is_past_first = False
    for module_name, module in list(net.named_modules()):
        if is_past_first and isinstance(module, Conv2d):
            break
        if is_past_first and isinstance(module, MaxPool2d):
            _replace_module(net, module_name, Identity())
        is_past_first = is_past_first or module_name == name
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
    """Build a net, and return it if its output for two images is logits (2, K).

    Args:
        build: Builds the net.
        name: The net, for messages.
        size: Height and width of the images.
        channels: Channels of the images.
        num_classes: Number of classes, K.
        stem: `small` if its first layers were changed by `use_small_stem`.
        get_native_size: Returns the image size that it was published for; called only if the net fails.

    Raises:
        ConfigError: The net fails on these images, mostly because they are too small, or it is not a classifier.
    """
    try:
        net = build()
        outputs = _run_net(net, torch.zeros(2, channels, *size))
    except ZooError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
        advice = _suggest_fix(size, get_native_size(), stem)
        raise ConfigError(f"{name} cannot take images of {size[0]} x {size[1]} ({reason}); {advice}") from error
    if not isinstance(outputs, Tensor) or tuple(outputs.shape) != (2, num_classes):
        shape = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        message = f"{name} is not a classifier: its output for 2 images is {shape}, not (2, {num_classes})"
        raise ConfigError(f"{message}; zoo list '{name.partition(':')[0]}:*' shows others")
    return net


def _run_net(net: Module, images: Tensor) -> object:
    """Return the output of a net in eval mode, and restore its mode."""
    mode = net.training
    try:
        with torch.no_grad():
            return net.eval()(images)
    finally:
        net.train(mode)


def _suggest_fix(size: Size, native_size: Size, stem: str) -> str:
    """Return advice for a net that fails on images of `size`; it was published for `native_size`."""
    if size == native_size:
        return "stem='own' may take them" if stem == "small" else "choose another net"
    side = native_size[0] if native_size[0] == native_size[1] else native_size
    published = f"it was published for {native_size[0]} x {native_size[1]}"
    if stem == "small":
        return f"{published}: use size={side} and stem='own'"
    return f"{published}: use size={side}, or try stem='small' for small images"
