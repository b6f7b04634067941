"""What timm says of the weights it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import timm
from timm.models import get_pretrained_cfg

from zoo.errors import UnknownNameError, join_names
from zoo.plugins.source import PretrainedConfig
from zoo.saving.folder import WEIGHTS


def get_pretrained_config(name: str, tag: str | None, config: Mapping[str, Any]) -> PretrainedConfig:
    """Return what timm, or the `config.json` beside the weights, says of them.

    Raises:
        UnknownNameError: timm publishes nothing under that tag.
    """
    tags = [each.partition(".")[2] for each in timm.list_pretrained(f"{name}.*")]
    if tag is not None and tag not in tags:
        raise UnknownNameError(f"timm publishes no weights {tag!r} for {name}; it has {join_names(tags) or 'none'}")
    known = get_pretrained_cfg(f"{name}.{tag}" if tag else name)
    told = {} if known is None else {key: value for key, value in vars(known).items() if value is not None}
    told |= {key: value for key, value in dict(config.get("pretrained_cfg", {})).items() if value is not None}
    channels, height, width = told.get("input_size", (3, 224, 224))
    is_plain = told.get("hf_hub_filename") in (None, WEIGHTS)
    return PretrainedConfig(
        size=(height, width),
        channels=channels,
        mean=tuple(told.get("mean", (0.0,))),
        std=tuple(told.get("std", (1.0,))),
        license=str(told.get("license", "")),
        repo_id=str(told.get("hf_hub_id", "")) if tags and is_plain else "",
        hint="timm publishes none as model.safetensors; give a file of your own, pretrained='./it.safetensors'",
    )
