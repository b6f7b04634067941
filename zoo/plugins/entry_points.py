"""Read the entry points of one group from the metadata of all installed distributions, without importing any of them.

`importlib.metadata` can do this too, but importing it takes longer than `zoo list`. It is used only if something else
than plain folders is on the import path, such as a zip archive, or if another finder is installed.
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
"""A distribution's normalized name and version."""


@dataclass(frozen=True)
class EntryPoint:
    """An entry point: its name, and its value `package.module[:attribute]`."""

    name: str
    value: str

    def load(self) -> Any:
        """Import and return the module or object that the value names."""
        return load_object(self.value.partition("[")[0])


def iter_entry_points(group: str) -> Iterator[tuple[DistributionId | None, list[EntryPoint]]]:
    """Yield each distribution that has entry points of a group, in the order of the import path.

    The distribution is None if its metadata lacks a name.
    """
    for text, metadata_texts in _read_folders() if _is_folders_only() else _read_importlib():
        points = list(_parse_entry_points(text, group)) if text and group in text else []
        if points:
            yield _parse_distribution_id(metadata_texts), points


def _is_folders_only() -> bool:
    """Return whether distributions are searched for in plain folders only."""
    others = [finder for finder in sys.meta_path if finder is not PathFinder and hasattr(finder, "find_distributions")]
    return not others and not any(os.path.isfile(entry) or entry.endswith(".egg") for entry in sys.path)


MetadataTexts = tuple[str, Iterator[str]]
"""The text of `entry_points.txt`, and lazily the texts that may state name and version."""


def _read_folders() -> Iterator[MetadataTexts]:
    for path in dict.fromkeys(os.path.abspath(entry) for entry in sys.path):
        try:
            names = sorted(name for name in os.listdir(path) if name.endswith(METADATA_SUFFIXES))
        except OSError:
            continue
        for name in names:
            folder = os.path.join(path, name)
            if text := _read_text(os.path.join(folder, "entry_points.txt")):
                yield text, (_read_text(os.path.join(folder, file_name)) for file_name in ("METADATA", "PKG-INFO"))


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
            file_names = ("METADATA", "PKG-INFO") if text else ()
            metadata_texts = [distribution.read_text(file_name) or "" for file_name in file_names]
        except Exception:  # broken metadata of some package, which need not be a plugin
            continue
        yield text, iter(metadata_texts)


def _parse_entry_points(text: str, group: str) -> Iterator[EntryPoint]:
    """Yield the entry points of one group in the text of `entry_points.txt`."""
    is_in_group = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            is_in_group = line.strip("[]").strip() == group
        elif is_in_group and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.strip())


def _parse_distribution_id(texts: Iterable[str]) -> DistributionId | None:
    """Return name and version from the header of a distribution's metadata, or None without a name."""
    for text in texts:
        lines = text.partition("\n\n")[0].splitlines()
        fields = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        if fields.get("Name"):
            return canonicalize_name(fields["Name"]), fields.get("Version") or "unknown"
    return None


def canonicalize_name(name: str) -> str:
    """Return a distribution's name in the normalized form by which package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()
