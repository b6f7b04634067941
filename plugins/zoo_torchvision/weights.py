"""Describe the weights that torchvision publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchvision import models

from zoo.plugins.source import PretrainedConfig

HALF_NORMALISED = ("googlenet", "inception_v3")
"""Nets that torchvision ported from other code, for images normalised with mean and standard deviation 1/2."""
NO_WEIGHTS_FIX = (
    "torchvision publishes pickles, which zoo never opens; if you trust one, convert it to safetensors once: "
    "safetensors.torch.save_file(torchvision.models.{name}(weights='DEFAULT').state_dict(), '{name}.safetensors'), "
    "and pass pretrained='./{name}.safetensors'"
)


def get_pretrained_config(name: str, tag: str | None, config: Mapping[str, Any]) -> PretrainedConfig:
    """Return the config of a net's pretrained weights. torchvision publishes none in a format that zoo opens."""
    weights_enum = models.get_model_weights(name)
    transforms: Any = next(iter(weights_enum)).transforms()  # the first are those for ImageNet for every net
    side = transforms.crop_size[0]
    is_halved = name in HALF_NORMALISED
    return PretrainedConfig(
        size=(side, side),
        mean=(0.5,) * 3 if is_halved else tuple(transforms.mean),
        std=(0.5,) * 3 if is_halved else tuple(transforms.std),
        hint=NO_WEIGHTS_FIX.format(name=name),
        ignored_prefixes=("aux1.", "aux2.", "AuxLogits."),
    )
