"""The entry points of one group, read from what is installed: a file a distribution, and nothing is imported.

`importlib.metadata` does this too, and takes longer to be imported than zoo to be listed; it is asked where something
else than plain folders is on the import path, such as a zip archive or a finder of its own.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any

ENDINGS = (".dist-info", ".egg-info")
Head = tuple[str, str]
"""A distribution's normalized name, and its version."""


@dataclass(frozen=True)
class Point:
    """An entry point: its name, and what it names: `package.module[:attribute]`."""

    name: str
    value: str

    def load(self) -> Any:
        """Import what it names."""
        module, _, path = self.value.partition("[")[0].partition(":")
        value: Any = import_module(module.strip())
        for part in filter(None, path.strip().split(".")):
            value = getattr(value, part)
        return value


def installed(group: str) -> Iterator[tuple[Head | None, list[Point]]]:
    """Yield each distribution that has entry points of a group, in the order of the import path.

    The head is None where a distribution does not say its name.
    """
    for points_text, head_texts in _plain() if _is_plain() else _any():
        points = list(_points(points_text, group)) if points_text and group in points_text else []
        if points:
            yield _head(head_texts), points


def _is_plain() -> bool:
    """Return whether only folders are searched for distributions."""
    others = [finder for finder in sys.meta_path if finder is not PathFinder and hasattr(finder, "find_distributions")]
    return not others and not any(os.path.isfile(place) or place.endswith(".egg") for place in sys.path)


Texts = tuple[str, Iterator[str]]
"""The text of `entry_points.txt`, and lazily those that may hold the head."""


def _plain() -> Iterator[Texts]:
    for place in dict.fromkeys(os.path.abspath(each) for each in sys.path):
        try:
            names = sorted(name for name in os.listdir(place) if name.endswith(ENDINGS))
        except OSError:
            continue
        for name in names:
            folder = os.path.join(place, name)
            if text := _text(os.path.join(folder, "entry_points.txt")):
                yield text, (_text(os.path.join(folder, each)) for each in ("METADATA", "PKG-INFO"))


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _any() -> Iterator[Texts]:
    from importlib import metadata

    for distribution in metadata.distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
            heads = [distribution.read_text(each) or "" for each in ("METADATA", "PKG-INFO")] if text else []
        except Exception:  # broken metadata of some package; nothing says that it is a plugin of ours
            continue
        yield text, iter(heads)


def _points(text: str, group: str) -> Iterator[Point]:
    """Yield the entry points of one group in the text of `entry_points.txt`."""
    is_ours = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            is_ours = line.strip("[]").strip() == group
        elif is_ours and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield Point(name.strip(), value.strip())


def _head(texts: Iterable[str]) -> Head | None:
    """Return name and version from the first lines of a distribution's metadata."""
    for text in texts:
        lines = text.partition("\n\n")[0].splitlines()
        fields = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        if fields.get("Name"):
            return normalized(fields["Name"]), fields.get("Version") or "unknown"
    return None


def normalized(name: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
