"""Describe the weights that timm publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import timm
from timm.models import get_pretrained_cfg

from zoo.errors import UnknownNameError, join_names
from zoo.plugins.source import PretrainedConfig
from zoo.saving.folder import WEIGHTS


def get_pretrained_config(name: str, tag: str | None, config: Mapping[str, Any]) -> PretrainedConfig:
    """Return the config of pretrained weights from timm, or from the `config.json` beside the weights.

    Raises:
        UnknownNameError: timm publishes nothing under that tag.
    """
    tags = [each.partition(".")[2] for each in timm.list_pretrained(f"{name}.*")]
    if tag is not None and tag not in tags:
        raise UnknownNameError(f"timm publishes no weights {tag!r} for {name}; it has {join_names(tags) or 'none'}")
    pretrained_cfg = get_pretrained_cfg(f"{name}.{tag}" if tag else name)
    values = {} if pretrained_cfg is None else vars(pretrained_cfg)
    values = {key: value for key, value in values.items() if value is not None}
    values |= {key: value for key, value in dict(config.get("pretrained_cfg", {})).items() if value is not None}
    channels, height, width = values.get("input_size", (3, 224, 224))
    is_plain = values.get("hf_hub_filename") in (None, WEIGHTS)
    return PretrainedConfig(
        size=(height, width),
        channels=channels,
        mean=tuple(values.get("mean", (0.0,))),
        std=tuple(values.get("std", (1.0,))),
        license=str(values.get("license", "")),
        repo_id=str(values.get("hf_hub_id", "")) if tags and is_plain else "",
        hint="timm publishes none as model.safetensors; pass a file of your own, pretrained='./it.safetensors'",
    )
