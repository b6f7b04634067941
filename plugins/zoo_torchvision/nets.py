"""Build torchvision's nets: the attribute `NAME` of this module is the builder of the model of that name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

from torch.nn import Module
from torchvision import models

from zoo.errors import ConfigError
from zoo.factory.stem import build_checked, set_input_channels, use_small_stem
from zoo_torchvision.weights import get_pretrained_config

Builder = Callable[..., Module]


def __getattr__(name: str) -> Builder:
    """Return the builder of one of torchvision's classifiers."""
    if name not in models.list_models(module=models):
        raise AttributeError(f"torchvision has no classifier {name!r}")

    def build(
        size: tuple[int, int], channels: int = 3, classes: int = 10, stem: Literal["own", "small"] = "own"
    ) -> Module:
        """Build the net with fresh weights; `stem="small"` does not reduce small images in the first layers."""
        options = _get_options(name, size, stem)

        def make() -> Module:
            net = set_input_channels(models.get_model(name, weights=None, num_classes=classes, **options), channels)
            return use_small_stem(net) if stem == "small" else net

        return build_checked(
            make,
            name=f"torchvision:{name}",
            size=size,
            channels=channels,
            num_classes=classes,
            stem=stem,
            get_native_size=lambda: get_pretrained_config(name, None, {}).size,
        )

    return build


def _get_options(name: str, size: tuple[int, int], stem: str) -> dict[str, Any]:
    """Return the options that some families need: the image size, or no auxiliary heads."""
    if name.startswith("vit_"):
        if size[0] != size[1] or stem == "small":
            problem = f"torchvision:{name} takes square images and its own stem"
            raise ConfigError(f"{problem}; zoo list 'timm:vit_*' shows similar nets without these limits")
        return {"image_size": size[0]}
    if name.startswith("maxvit"):
        return {"input_size": size}
    has_auxiliary_heads = (
        name in AUXILIARY_HEAD_NETS or "aux_logits" in inspect.signature(models.get_model_builder(name)).parameters
    )
    return {"aux_logits": False, "init_weights": True} if has_auxiliary_heads else {}


AUXILIARY_HEAD_NETS = ("googlenet", "inception_v3")
"""Nets whose training has several outputs, unless `aux_logits` is False."""
