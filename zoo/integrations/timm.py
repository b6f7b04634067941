"""Register zoo's models in timm: after `register()`, `timm.create_model("zoo_gcn_7x7")` works."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from torch.nn import Module

from zoo.api import create
from zoo.errors import ConfigError, PluginError
from zoo.model import Model
from zoo.plugins.catalog import CATALOG

TIMM_OPTIONS = frozenset({"pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir", "features_only"})
"""Options that timm passes to every entry point; empty unless the user sets them."""


def register() -> tuple[str, ...]:
    """Add every model of `zoo.models` to timm's registry, and return the names: `gcn-7x7` becomes `zoo_gcn_7x7`.

    Names that timm has already are skipped, so that a second call adds only new models.

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
    """Return an entry point for timm: a function that has the model's name and is an attribute of its module."""

    def entry(
        pretrained: bool | str = False,
        *,
        num_classes: int | None = None,
        in_chans: int | None = None,
        img_size: int | tuple[int, int] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> Module:
        shape = {"classes": num_classes, "channels": in_chans, "size": img_size}
        config = {option: value for option, value in shape.items() if value is not None}
        _check_timm_options(name, key, options)
        config |= {option: value for option, value in options.items() if option not in TIMM_OPTIONS}
        model = create(key, pretrained=pretrained or None, seed=seed, **config)
        pretrained_cfg = _make_pretrained_cfg(name, model)
        attributes = {"num_classes": len(model.classes), "pretrained_cfg": pretrained_cfg}
        vars(model.net).update(**attributes, default_cfg=pretrained_cfg)
        return model.net

    entry.__name__ = entry.__qualname__ = name
    entry.__module__ = __name__
    setattr(sys.modules[__name__], name, entry)
    return entry


def _check_timm_options(name: str, key: str, options: dict[str, Any]) -> None:
    """Raise a ConfigError if an option of timm's has a value that zoo would ignore."""
    for option in TIMM_OPTIONS & options.keys():
        if options[option] not in (None, {}, ""):
            raise ConfigError(f"{name} takes no {option!r} of timm's; zoo.create({key!r}, ...) takes zoo's options")


def _make_pretrained_cfg(name: str, model: Model) -> dict[str, Any]:
    preprocessing = model.preprocessing
    return {
        "architecture": name,
        "input_size": (preprocessing.channels, *preprocessing.size),
        "num_classes": len(model.classes),
        "mean": preprocessing.mean,
        "std": preprocessing.std,
    }
