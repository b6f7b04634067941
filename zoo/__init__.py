"""zoo: a plugin-based model zoo for small images."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.api import create, dataset, load
    from zoo.data import Dataset, Images, Loader
    from zoo.errors import ZooError
    from zoo.model import Model
    from zoo.plugins.experiment_spec import Experiment, Row
    from zoo.plugins.hookspecs import hookimpl
    from zoo.plugins.source import Source
    from zoo.plugins.spec import CallbackSpec, Command, DatasetSpec, EncoderSpec, ModelSpec
    from zoo.recipe import Recipe
    from zoo.registries import datasets, encoders, experiments, models, sources, trained


__version__ = "0.1.0"

_NAMES_BY_MODULE = {
    "zoo.api": ("create", "dataset", "load"),
    "zoo.data": ("Dataset", "Images", "Loader"),
    "zoo.errors": ("ZooError",),
    "zoo.plugins.hookspecs": ("hookimpl",),
    "zoo.model": ("Model",),
    "zoo.recipe": ("Recipe",),
    "zoo.registries": ("datasets", "encoders", "experiments", "models", "sources", "trained"),
    "zoo.plugins.source": ("Source",),
    "zoo.plugins.experiment_spec": ("Experiment", "Row"),
    "zoo.plugins.spec": ("CallbackSpec", "Command", "DatasetSpec", "EncoderSpec", "ModelSpec"),
}
_MODULE_BY_NAME = {name: home for home, names in _NAMES_BY_MODULE.items() for name in names}

# fmt: off
__all__ = [
    "CallbackSpec", "Command", "Dataset", "DatasetSpec", "EncoderSpec", "Experiment", "Images", "Loader", "Model",
    "ModelSpec", "Recipe", "Row", "Source", "ZooError", "create", "dataset", "datasets", "encoders", "experiments",
    "hookimpl", "load", "models", "sources", "trained",
]
# fmt: on


def __getattr__(name: str) -> Any:
    """Import a name of the face at its first use, so that `import zoo` stays light."""
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_MODULE_BY_NAME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
