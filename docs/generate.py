"""Write docs/reference/plugins.md from the code, with every hook, value and check: `python docs/generate.py`."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from zoo.plugins import hookspecs as hooks
from zoo.plugins.discovery import SPEC_TYPES
from zoo.plugins.experiment_spec import Row
from zoo.recipe import Recipe
from zoo.task_info import CLASSIFICATION, GENERATION
from zoo.testing import CHECKS_BY_TASK, DATASET_CHECKS, ENCODER_CHECKS, PLUGIN_CHECKS

PAGE = Path(__file__).parent / "reference" / "plugins.md"
ARGUMENT = re.compile(r"^ {4}(\w+): (.+?)(?=^ {4}\w+: |\Z)", re.MULTILINE | re.DOTALL)
HEAD = """# Reference: plugins

Written by `python docs/generate.py` from the code; a test keeps it current. The tutorial is [Plugins](../plugins.md).
"""


def render_page() -> str:
    """Return the text of the page."""
    return "\n".join([HEAD, *_render_hooks(), *_render_values(), *_render_checks()]).rstrip() + "\n"


def _render_hooks() -> Iterator[str]:
    low, high = hooks.SUPPORTED_API
    yield "## Hooks\n"
    versions = f"version {high}" if low == high else f"versions {low} to {high}"
    yield f"This zoo supports plugins that are written for {versions} of the contract (`zoo_api`).\n"
    yield "| hook | may take | returns | |\n| --- | --- | --- | --- |"
    for kind, value in SPEC_TYPES.items():
        function = getattr(hooks, f"zoo_{kind}")
        takes = ", ".join(f"`{name}`" for name in inspect.signature(function).parameters)
        returns = f"[`{value.__name__}`](#{value.__name__.lower()})s"
        yield f"| `zoo_{kind}` | {takes} | {returns} | {_get_summary(function)} |"
    yield ""


def _render_values() -> Iterator[str]:
    for value in (*SPEC_TYPES.values(), Row, Recipe, hooks.Host):
        yield f"## {value.__name__}\n\n{_get_summary(value)}\n"
        descriptions = _parse_arguments(value)
        yield "| field | type | default | |\n| --- | --- | --- | --- |"
        for field in dataclasses.fields(value):
            kind = str(field.type).replace("|", "\\|")
            yield f"| `{field.name}` | `{kind}` | {_format_default(field)} | {descriptions.get(field.name, '')} |"
        yield ""


def _format_default(field: dataclasses.Field[object]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`"
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
        return "`{}`" if default == {} else f"`{type(default).__name__}()`"
    return "required"


def _get_summary(value: object) -> str:
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")


def _parse_arguments(value: object) -> dict[str, str]:
    """Return the descriptions of a docstring's arguments, each in one line."""
    _, _, text = (inspect.getdoc(value) or "").partition("Args:\n")
    return {name: " ".join(words.split()).replace("|", "\\|") for name, words in ARGUMENT.findall(text)}


def _render_checks() -> Iterator[str]:
    kinds = {
        "plugin": ("a plugin", PLUGIN_CHECKS),
        "model": ("a classifier", CHECKS_BY_TASK[CLASSIFICATION.name]),
        "model ": ("a generator", CHECKS_BY_TASK[GENERATION.name]),
        "encoder": ("an encoder", ENCODER_CHECKS),
        "dataset": ("a data set", DATASET_CHECKS),
    }
    for kind, (subject, checks) in kinds.items():
        yield f"## Checks of {subject}\n\n`check_{kind.strip()}` runs these {len(checks)}, in this order.\n"
        yield "| check | claim |\n| --- | --- |"
        yield from (f"| `{name}` | {_get_summary(check)} |" for name, check in checks.items())
        yield ""


if __name__ == "__main__":
    PAGE.write_text(render_page())
    print(f"{PAGE}: {len(render_page().splitlines())} lines")
