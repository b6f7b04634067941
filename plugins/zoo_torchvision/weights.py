"""What torchvision says of the weights it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchvision import models

from zoo.plugins.source import PretrainedConfig

HALF_NORMALISED = ("googlenet", "inception_v3")
"""Nets that torchvision took over from elsewhere, for images normalised with mean and standard deviation 1/2."""
NO_WEIGHTS_FIX = (
    "torchvision publishes pickles, which zoo never opens; where you trust one, make a safetensors file of it once: "
    "safetensors.torch.save_file(torchvision.models.{name}(weights='DEFAULT').state_dict(), '{name}.safetensors'), "
    "and give pretrained='./{name}.safetensors'"
)


def get_pretrained_config(name: str, tag: str | None, config: Mapping[str, Any]) -> PretrainedConfig:
    """Return what torchvision says of a net's weights; it publishes none that zoo opens."""
    about = models.get_model_weights(name)
    wants: Any = next(iter(about)).transforms()  # the first are those of ImageNet for every net
    side = wants.crop_size[0]
    is_halved = name in HALF_NORMALISED
    return PretrainedConfig(
        size=(side, side),
        mean=(0.5,) * 3 if is_halved else tuple(wants.mean),
        std=(0.5,) * 3 if is_halved else tuple(wants.std),
        hint=NO_WEIGHTS_FIX.format(name=name),
        ignored_prefixes=("aux1.", "aux2.", "AuxLogits."),
    )
