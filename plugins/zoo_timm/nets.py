"""Build timm's nets: the attribute `NAME` of this module is the builder of the model of that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import timm
from timm.models import get_pretrained_cfg
from torch.nn import Module

from zoo.factory.stem import build_checked, use_small_stem
from zoo_timm.weights import get_pretrained_config

Builder = Callable[..., Module]
MIN_PATCHES = 7
"""A small stem divides an image into at least this many patches per side."""


def __getattr__(name: str) -> Builder:
    """Return the builder of one of timm's models."""
    if name.startswith("__") or not timm.is_model(name):
        raise AttributeError(f"timm has no model {name!r}")

    def build(
        size: tuple[int, int], channels: int = 3, classes: int = 10, stem: Literal["own", "small"] = "own"
    ) -> Module:
        """Build the net with fresh weights; `stem="small"` does not reduce small images in the first layers."""
        return build_checked(
            lambda: _create_net(name, size, stem, in_chans=channels, num_classes=classes),
            name=f"timm:{name}",
            size=size,
            channels=channels,
            num_classes=classes,
            stem=stem,
            get_native_size=lambda: get_pretrained_config(name, None, {}).size,
        )

    return build


def _create_net(name: str, size: tuple[int, int], stem: str, **options: Any) -> Module:
    """Create a net. One with a fixed grid of patches takes the image size, and smaller patches for a small stem."""
    pretrained_cfg = get_pretrained_cfg(name)
    if pretrained_cfg is None or not pretrained_cfg.fixed_input_size:
        net: Module = timm.create_model(name, pretrained=False, **options)
        return use_small_stem(net) if stem == "small" else net
    if stem == "small":
        options["patch_size"] = max(
            side for side in range(1, max(1, min(size) // MIN_PATCHES) + 1) if size[0] % side == size[1] % side == 0
        )
    patched: Module = timm.create_model(name, pretrained=False, img_size=size, **options)
    return patched
