"""zoo's models under timm's names: after `register()`, `timm.create_model("zoo_gcn_7x7")` works."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from torch.nn import Module

from zoo.api import create
from zoo.errors import ConfigError, PluginError
from zoo.plugins.catalog import CATALOG


def register() -> tuple[str, ...]:
    """Put every model on `zoo.models` into timm's registry, and return the names: `gcn-7x7` becomes `zoo_gcn_7x7`.

    What timm has already is left alone; a second call adds only what is new.

    Raises:
        PluginError: timm is not installed.
    """
    try:
        from timm.models import is_model, register_model
    except ImportError as error:
        raise PluginError("timm is not installed: pip install 'zoo-models[timm]'") from error
    names = {f"zoo_{re.sub('[^a-z0-9]', '_', key)}": key for key in CATALOG.registry("models")}
    for name, key in names.items():
        if not is_model(name):
            register_model(_make_entry_point(name, key))
    return tuple(sorted(names))


def _make_entry_point(name: str, key: str) -> Callable[..., Module]:
    """Return a function as timm registers them: named as the model, and an attribute of its module."""

    def entry(
        pretrained: bool | str = False,
        *,
        num_classes: int | None = None,
        in_chans: int | None = None,
        img_size: int | tuple[int, int] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> Module:
        known = {"classes": num_classes, "channels": in_chans, "size": img_size}
        told = {option: value for option, value in known.items() if value is not None}
        ours = {option: value for option, value in options.items() if option not in TIMM_OPTIONS}
        for option in TIMM_OPTIONS & options.keys():
            if options[option] not in (None, {}, ""):
                raise ConfigError(f"{name} takes no {option!r} of timm's; zoo.create({key!r}, ...) takes zoo's options")
        model = create(key, pretrained=pretrained or None, seed=seed, **told, **ours)
        about = _make_pretrained_cfg(name, model)
        vars(model.net).update(num_classes=len(model.classes), pretrained_cfg=about, default_cfg=about)
        return model.net

    entry.__name__ = entry.__qualname__ = name
    entry.__module__ = __name__
    setattr(sys.modules[__name__], name, entry)
    return entry


TIMM_OPTIONS = frozenset({"pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir", "features_only"})
"""What timm hands to every entry beside the options; empty unless somebody asks for them."""


def _make_pretrained_cfg(name: str, model: Any) -> dict[str, Any]:
    wants = model.preprocessing
    return {
        "architecture": name,
        "input_size": (wants.channels, *wants.size),
        "num_classes": len(model.classes),
        "mean": wants.mean,
        "std": wants.std,
    }
