"""Write docs/reference/plugins.md from the code: every hook, value, entry in the kit. `python docs/generate.py`."""

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
from zoo.testing import CHECKS_BY_TASK, DATASET_CHECKS, ENCODER_CHECKS, PLUGIN_CHECKS

PAGE = Path(__file__).parent / "reference" / "plugins.md"
ARGUMENT = re.compile(r"^ {4}(\w+): (.+?)(?=^ {4}\w+: |\Z)", re.MULTILINE | re.DOTALL)
HEAD = """# Reference: plugins

Written by `python docs/generate.py` from the code; a test keeps it current. The tutorial is [Plugins](../plugins.md).
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_hooks(), *_values(), *_checks()]).rstrip() + "\n"


def _hooks() -> Iterator[str]:
    low, high = hooks.SUPPORTED_API
    yield "## Hooks\n"
    yield f"This zoo speaks version {high} of the contract and takes plugins written for {low} to {high} (`zoo_api`).\n"
    yield "| hook | may take | returns | |\n| --- | --- | --- | --- |"
    for kind, value in SPEC_TYPES.items():
        function = getattr(hooks, f"zoo_{kind}")
        takes = ", ".join(f"`{name}`" for name in inspect.signature(function).parameters)
        yield f"| `zoo_{kind}` | {takes} | [`{value.__name__}`](#{value.__name__.lower()})s | {_first(function)} |"
    yield ""


def _values() -> Iterator[str]:
    for value in (*SPEC_TYPES.values(), Row, Recipe, hooks.Host):
        yield f"## {value.__name__}\n\n{_first(value)}\n"
        told = _arguments(value)
        yield "| field | type | default | |\n| --- | --- | --- | --- |"
        for field in dataclasses.fields(value):
            kind = str(field.type).replace("|", "\\|")
            yield f"| `{field.name}` | `{kind}` | {_default(field)} | {told.get(field.name, '')} |"
        yield ""


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`"
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
        return "`{}`" if made == {} else f"`{type(made).__name__}()`"
    return "required"


def _first(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def _arguments(thing: object) -> dict[str, str]:
    """Return what a docstring says of each argument, in one line each."""
    _, _, rest = (inspect.getdoc(thing) or "").partition("Args:\n")
    return {name: " ".join(text.split()).replace("|", "\\|") for name, text in ARGUMENT.findall(rest)}


def _checks() -> Iterator[str]:
    kinds = {
        "plugin": ("plugin", PLUGIN_CHECKS),
        "model": ("model that labels images", CHECKS_BY_TASK["classification"]),
        "model ": ("model that draws images", CHECKS_BY_TASK["generation"]),
        "encoder": ("encoder", ENCODER_CHECKS),
        "dataset": ("dataset", DATASET_CHECKS),
    }
    for kind, (told, checks) in kinds.items():
        yield f"## Checks of a {told}\n\n`check_{kind.strip()}` runs these {len(checks)}, in this order.\n"
        yield "| check | what holds |\n| --- | --- |"
        yield from (f"| `{name}` | {_first(check)} |" for name, check in checks.items())
        yield ""


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE}: {len(page().splitlines())} lines")
