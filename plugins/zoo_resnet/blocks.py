"""Provide what the residual networks share: convolutions, their initialisation, and the strides of the stages."""

from __future__ import annotations

from torch import nn

from zoo.errors import ConfigError

MIN_SIDE = 7
"""Smallest height and width of an image, in pixels."""


def conv(inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> nn.Conv2d:
    """Return a convolution with "same" padding, and without bias, since normalisation follows it."""
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)


def check_size(size: tuple[int, int], name: str) -> None:
    """Raise a `ConfigError` for images smaller than 7 x 7 pixels."""
    if min(size) < MIN_SIDE:
        raise ConfigError(f"{name} needs images of at least {MIN_SIDE} x {MIN_SIDE} pixels, not {size[0]} x {size[1]}")


def compute_strides(size: tuple[int, int], stages: int) -> list[int]:
    """Return the stride of each stage: 1, then 2 while the smaller side is at least 4 pixels.

    So the last map is never a single pixel, on which batch normalisation cannot train with a batch of one image. For
    images of at least 13 x 13 pixels the strides are those of the papers.

    >>> compute_strides((32, 32), 4), compute_strides((7, 7), 4)
    ([1, 2, 2, 2], [1, 2, 2, 1])
    """
    side, strides = min(size), [1]
    for _ in range(stages - 1):
        strides.append(2 if side >= 4 else 1)
        side = -(-side // strides[-1])
    return strides


def init_kaiming(net: nn.Module) -> None:
    """Initialise every convolution so that the variance of the gradients is preserved (He et al. 2015)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
