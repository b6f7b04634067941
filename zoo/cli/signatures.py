"""The options of a model or encoder, read from the source of its builder without importing it (and torch)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ARGUMENT = re.compile(r"(?P<name>\*{0,2}\w+)(?: \([^)]*\))?:\s*(?P<text>.*)")


@dataclass(frozen=True, kw_only=True)
class Option:
    """A parameter of a builder.

    Args:
        name: Its name.
        type: Its annotation, as text.
        default: Its default, as text; empty if it has none.
        text: What the docstring says about it.
    """

    name: str
    type: str = ""
    default: str = ""
    text: str = ""


def read_options(build: str, values: Mapping[str, Any]) -> list[Option]:
    """Return the options of a builder, or nothing if its source cannot be read.

    Args:
        build: Import string of a function or class.
        values: Values that replace the defaults.
    """
    module, _, path = build.partition(":")
    definition = _find_definition(module, path)
    if definition is None:
        return []
    function = definition if isinstance(definition, ast.FunctionDef) else _find_in(definition.body, "__init__")
    if not isinstance(function, ast.FunctionDef):
        return []
    texts = _read_arguments(ast.get_docstring(definition) or "") | _read_arguments(ast.get_docstring(function) or "")
    return [_make_option(*each, values, texts) for each in _iterate_parameters(function.args) if each[0].arg != "self"]


def _make_option(
    parameter: ast.arg, default: ast.expr | None, values: Mapping[str, Any], texts: Mapping[str, str]
) -> Option:
    name = parameter.arg
    return Option(
        name=name,
        type=ast.unparse(parameter.annotation) if parameter.annotation else "",
        default=str(values[name]) if name in values else ast.unparse(default) if default else "",
        text=texts.get(name, ""),
    )


def _iterate_parameters(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = len(positional) - len(arguments.defaults)
    yield from zip(positional, [*[None] * missing, *arguments.defaults], strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


def _find_definition(module: str, path: str) -> ast.FunctionDef | ast.ClassDef | None:
    file = _find_source(module)
    if file is None:
        return None
    statement: ast.stmt | None = None
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for name in path.split("."):
        statement = _find_in(body, name)
        body = getattr(statement, "body", [])
    return statement if isinstance(statement, ast.FunctionDef | ast.ClassDef) else None


def _find_in(body: list[ast.stmt], name: str) -> ast.stmt | None:
    return next((each for each in body if getattr(each, "name", None) == name), None)


def _find_source(module: str) -> Path | None:
    """Return the source file of a module; only its top package is looked up, and nothing is imported."""
    top, *rest = module.split(".")
    spec = getattr(sys.modules.get(top), "__spec__", None) or find_spec(top)
    if spec is None:
        return None
    roots = spec.submodule_search_locations
    paths = [Path(root).joinpath(*rest) for root in roots] if roots else []
    files = [path.with_suffix(".py") if rest else path / "__init__.py" for path in paths]
    files += [path / "__init__.py" for path in paths]
    if not roots and spec.origin:
        files = [Path(spec.origin)]
    return next((file for file in files if file.is_file()), None)


def _read_arguments(docstring: str) -> dict[str, str]:
    """Return the texts of the `Args` section of a docstring, by parameter.

    >>> _read_arguments('''Do it.
    ...
    ... Args:
    ...     hidden: Widths of
    ...         the layers.
    ... ''')
    {'hidden': 'Widths of the layers.'}
    """
    texts: dict[str, str] = {}
    name, in_section = "", False
    for line in docstring.splitlines():
        if not line.startswith(" ") and line:
            in_section = line == "Args:"
        elif in_section and line.startswith("    "):
            match = ARGUMENT.fullmatch(line.strip()) if not line.startswith("     ") else None
            name = match["name"] if match else name
            texts[name] = match["text"] if match else f"{texts.get(name, '')} {line.strip()}"
    return texts
