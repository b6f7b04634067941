"""The names of torchvision's classifiers, read from its source files without importing it."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from zoo import ModelSpec, Recipe
from zoo.errors import PluginError

REGISTERED = re.compile(r"^@register_model\(\)\n(?:@[^\n]*\n)*def (\w+)\(", re.MULTILINE)
RECIPE = Recipe(epochs=20, batch_size=64, optimizer="adamw", lr=1e-3, weight_decay=0.01, schedule="cosine", warmup=1)


@cache
def names() -> tuple[str, ...]:
    """Return the names of the installed torchvision's classifiers: those in `models` itself, not in its folders.

    Raises:
        PluginError: torchvision is not installed.
    """
    package = find_spec("torchvision")
    if package is None or package.origin is None:
        told = "models of torchvision need torchvision, which is not installed"
        raise PluginError(f"{told}: pip install 'zoo-models[torchvision]'")
    files = sorted((Path(package.origin).parent / "models").glob("*.py"))
    return tuple(sorted({name for file in files for name in REGISTERED.findall(file.read_text("utf-8"))}))


def model(name: str) -> ModelSpec:
    """Return the model of one name."""
    return ModelSpec(
        name=f"torchvision:{name}",
        summary=f"{name} of torchvision, for images of any size it can take",
        build=f"zoo_torchvision.nets:{name}",
        size=(32, 32),
        channels=3,
        recipe=RECIPE,
        standardize=True,
        foreign="zoo_torchvision.weights:published",
        paper="as torchvision cites it",
        tags=("torchvision",),
    )
