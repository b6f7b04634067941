"""Write a new plugin from templates: a distribution that installs and passes the conformance kit. No torch here."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from zoo.errors import ConfigError
from zoo.plugins.hookspecs import API_VERSION
from zoo.plugins.spec import check_name

TEMPLATE_KINDS = ("model", "encoder", "dataset", "command")
TEMPLATE_SUFFIX = ".tmpl"


def write_plugin(name: str, kind: str, folder: Path | None = None) -> dict[Path, str]:
    """Write the files of a new plugin and return their texts by path.

    Args:
        name: Such as `mine`: the distribution is `zoo-mine`, its package `zoo_mine`.
        kind: The kind of value it offers: one of `TEMPLATE_KINDS`.
        folder: The folder to write to; `zoo-mine` in the current folder if None.

    Raises:
        ConfigError: The name or kind is not valid, or the folder is not empty.
    """
    check_name(name, "plugin")
    if kind not in TEMPLATE_KINDS:
        raise ConfigError(f"a new plugin offers one of {', '.join(TEMPLATE_KINDS)}, not {kind!r}")
    names = _template_values(name.removeprefix("zoo-"))
    target = Path(names["distribution"]) if folder is None else folder
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} exists and is not empty; choose another name or folder")
    texts = {target / path: text for path, text in _render(kind, names).items()}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return texts


def _template_values(slug: str) -> dict[str, str]:
    words = slug.replace(".", "-").split("-")
    package = "_".join(["zoo", *words])
    return {
        "slug": slug,
        "distribution": f"zoo-{'-'.join(words)}",
        "package": package,
        "function": "_".join(words) if words[0][0].isalpha() else package,
        "Class": "".join(word.capitalize() for word in words) if words[0][0].isalpha() else f"A{slug.capitalize()}",
        "api": str(API_VERSION),
    }


def _render(kind: str, names: dict[str, str]) -> dict[Path, str]:
    """Return the templates of a kind, and those that all kinds share, with the names substituted."""
    texts = {}
    for folder in ("common", kind):
        for template_path, template in _list_templates(files(__package__) / "templates" / folder):
            path = Path(*(Template(part).substitute(names) for part in template_path.parts))
            texts[path] = Template(template.read_text(encoding="utf-8")).substitute(names | {"kind": kind})
    return texts


def _list_templates(folder: Traversable, parent: Path = Path()) -> list[tuple[Path, Traversable]]:
    """Return (path without the suffix, file) of every template in a folder and its subfolders."""
    templates = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            templates += _list_templates(entry, parent / entry.name)
        elif entry.name.endswith(TEMPLATE_SUFFIX):
            templates.append((parent / entry.name.removesuffix(TEMPLATE_SUFFIX), entry))
    return templates
