"""The names of timm's models, read from its source files without importing it."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from zoo import ModelSpec, Recipe
from zoo.errors import PluginError

REGISTERED = re.compile(r"^@register_model\b[^\n]*\n(?:@[^\n]*\n)*def (\w+)\(", re.MULTILINE)
RECIPE = Recipe(epochs=20, batch_size=64, optimizer="adamw", lr=1e-3, weight_decay=0.01, schedule="cosine", warmup=1)


@cache
def names() -> tuple[str, ...]:
    """Return the names of the installed timm's models.

    Raises:
        PluginError: timm is not installed.
    """
    package = find_spec("timm")
    if package is None or package.origin is None:
        raise PluginError("models of timm need timm, which is not installed: pip install 'zoo-models[timm]'")
    files = sorted((Path(package.origin).parent / "models").glob("*.py"))
    return tuple(sorted({name for file in files for name in REGISTERED.findall(file.read_text("utf-8"))}))


def model(name: str) -> ModelSpec:
    """Return the model of one name."""
    return ModelSpec(
        name=f"timm:{name}",
        summary=f"{name} of timm, for images of any size it can take",
        build=f"zoo_timm.nets:{name}",
        size=(32, 32),
        channels=3,
        recipe=RECIPE,
        standardize=True,
        foreign="zoo_timm.weights:published",
        paper="as timm cites it",
        tags=("timm",),
    )
