"""A new plugin as a folder of files: a whole distribution that installs and passes the kit as it is. No torch here."""

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
        kind: What it offers: one of `KINDS`.
        folder: Where to; `zoo-mine` in the current folder when left out.

    Raises:
        ConfigError: The name or kind cannot be used, or the folder holds something.
    """
    check_name(name, "plugin")
    if kind not in TEMPLATE_KINDS:
        raise ConfigError(f"a plugin is begun with one of {', '.join(TEMPLATE_KINDS)}, not {kind!r}")
    names = _template_values(name.removeprefix("zoo-"))
    target = Path(names["distribution"]) if folder is None else folder
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} is there and holds something; choose another name or folder")
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
    """Return the templates of a kind, and those that all kinds share, filled in."""
    found = {}
    for room in ("common", kind):
        for path, template in _list_templates(files(__package__) / "templates" / room):
            place = Path(*(Template(part).substitute(names) for part in path.parts))
            found[place] = Template(template.read_text(encoding="utf-8")).substitute(names | {"kind": kind})
    return found


def _list_templates(folder: Traversable, parent: Path = Path()) -> list[tuple[Path, Traversable]]:
    """Return (path without its ending, file) of every template under a place."""
    found = []
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            found += _list_templates(each, parent / each.name)
        elif each.name.endswith(TEMPLATE_SUFFIX):
            found.append((parent / each.name.removesuffix(TEMPLATE_SUFFIX), each))
    return found
