"""The names of another library's models, read from its source files without importing it."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from zoo.errors import PluginError

REGISTER_MODEL_PATTERN = re.compile(r"^@register_model\b[^\n]*\n(?:@[^\n]*\n)*def (\w+)\(", re.MULTILINE)


def list_registered_models(package: str) -> tuple[str, ...]:
    """Return the functions under `@register_model` in the folder `models` of a package, read without importing it.

    Raises:
        PluginError: The package is not installed.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        told = f"models of {package} need {package}, which is not installed"
        raise PluginError(f"{told}: pip install 'zoo-models[{package}]'")
    files = sorted((Path(found.origin).parent / "models").glob("*.py"))
    return tuple(sorted({name for file in files for name in REGISTER_MODEL_PATTERN.findall(file.read_text("utf-8"))}))
