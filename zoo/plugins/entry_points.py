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
from importlib.machinery import PathFinder
from typing import Any

from zoo.plugins.import_string import load_object

METADATA_SUFFIXES = (".dist-info", ".egg-info")
DistributionId = tuple[str, str]
"""A distribution's normalized name, and its version."""


@dataclass(frozen=True)
class EntryPoint:
    """An entry point: its name, and what it names: `package.module[:attribute]`."""

    name: str
    value: str

    def load(self) -> Any:
        """Import and return the module or object it names."""
        return load_object(self.value.partition("[")[0])


def iter_entry_points(group: str) -> Iterator[tuple[DistributionId | None, list[EntryPoint]]]:
    """Yield each distribution that has entry points of a group, in the order of the import path.

    The head is None where a distribution does not say its name.
    """
    for points_text, head_texts in _read_folders() if _is_folders_only() else _read_importlib():
        points = list(_parse_entry_points(points_text, group)) if points_text and group in points_text else []
        if points:
            yield _parse_distribution_id(head_texts), points


def _is_folders_only() -> bool:
    """Return whether only folders are searched for distributions."""
    others = [finder for finder in sys.meta_path if finder is not PathFinder and hasattr(finder, "find_distributions")]
    return not others and not any(os.path.isfile(place) or place.endswith(".egg") for place in sys.path)


MetadataTexts = tuple[str, Iterator[str]]
"""The text of `entry_points.txt`, and lazily those that may hold the head."""


def _read_folders() -> Iterator[MetadataTexts]:
    for place in dict.fromkeys(os.path.abspath(each) for each in sys.path):
        try:
            names = sorted(name for name in os.listdir(place) if name.endswith(METADATA_SUFFIXES))
        except OSError:
            continue
        for name in names:
            folder = os.path.join(place, name)
            if text := _read_text(os.path.join(folder, "entry_points.txt")):
                yield text, (_read_text(os.path.join(folder, each)) for each in ("METADATA", "PKG-INFO"))


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _read_importlib() -> Iterator[MetadataTexts]:
    from importlib import metadata

    for distribution in metadata.distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
            heads = [distribution.read_text(each) or "" for each in ("METADATA", "PKG-INFO")] if text else []
        except Exception:  # broken metadata of some package; nothing says that it is a plugin of ours
            continue
        yield text, iter(heads)


def _parse_entry_points(text: str, group: str) -> Iterator[EntryPoint]:
    """Yield the entry points of one group in the text of `entry_points.txt`."""
    is_ours = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            is_ours = line.strip("[]").strip() == group
        elif is_ours and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.strip())


def _parse_distribution_id(texts: Iterable[str]) -> DistributionId | None:
    """Return name and version from the first lines of a distribution's metadata."""
    for text in texts:
        lines = text.partition("\n\n")[0].splitlines()
        fields = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        if fields.get("Name"):
            return canonicalize_name(fields["Name"]), fields.get("Version") or "unknown"
    return None


def canonicalize_name(name: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
