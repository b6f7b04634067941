"""List the names of torchvision's classifiers from its source files, without importing it."""

from __future__ import annotations

from functools import cache

from zoo import ModelSpec, Recipe
from zoo.plugins.source import list_registered_models

RECIPE = Recipe(epochs=20, batch_size=64, optimizer="adamw", lr=1e-3, weight_decay=0.01, schedule="cosine", warmup=1)


@cache
def list_names() -> tuple[str, ...]:
    """Return the names of the installed torchvision's classifiers: those in `models`, not in its subpackages.

    Raises:
        PluginError: torchvision is not installed.
    """
    return list_registered_models("torchvision")


def make_spec(name: str) -> ModelSpec:
    """Return the spec of a model."""
    return ModelSpec(
        name=f"torchvision:{name}",
        summary=f"{name} of torchvision, for images of any size that it supports",
        build=f"zoo_torchvision.nets:{name}",
        size=(32, 32),
        channels=3,
        recipe=RECIPE,
        standardize=True,
        pretrained_config="zoo_torchvision.weights:get_pretrained_config",
        paper="as torchvision cites it",
        tags=("torchvision",),
    )
