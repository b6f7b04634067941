"""What is amiss with the installed plugins, and how to mend it. No torch here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from zoo.plugins.catalog import CATALOGUE
from zoo.plugins.discovery import OWN_DISTRIBUTION, Plugin
from zoo.plugins.entry_points import normalized
from zoo.shelves import SHELVES

REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?([^;]*)(?:;(.*))?")
EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
FOR_WORK = ("dev", "test", "tests", "docs")
"""Extras for those who change a plugin; others do not miss them."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that a user of plugins should know.

    Args:
        level: `error` (something that is installed does not work), `warning` (it will not for ever, or needs a fuller
            name) or `note` (something more could be had).
        about: The plugin, distribution or name it is about.
        what: What is so.
        mend: What to do.
    """

    level: str
    about: str
    what: str
    mend: str


def findings() -> list[Finding]:
    """Return all that is amiss, the worst first."""
    found = [finding for look in (_broken, _clashing, _ageing, _lacking, _off) for finding in look()]
    levels = ("error", "warning", "note")
    return sorted(found, key=lambda finding: levels.index(finding.level))


def _broken() -> Iterator[Finding]:
    for plugin in CATALOGUE.plugins():
        if plugin.status == "quarantined":
            newer = f"pip install --upgrade {plugin.distribution}"
            mend = f"{newer}, or pip uninstall {plugin.distribution}, or ZOO_PLUGINS=-{plugin.name} to look away"
            mend += f"; its author: zoo plugins check {plugin.name}"
            if "upgrade zoo-models" in plugin.reason:
                mend = f"pip install --upgrade {OWN_DISTRIBUTION}"
            yield Finding(level="error", about=plugin.name, what=f"quarantined: {plugin.reason}", mend=mend)


def _clashing() -> Iterator[Finding]:
    for kind, shelf in SHELVES.items():
        for name, owners in shelf.clashes().items():
            what = f"{kind.removesuffix('s')} {name!r} is offered by {', '.join(owners)}"
            told = " or ".join(f"{owner}:{name}" for owner in owners)
            yield Finding(level="warning", about=name, what=what, mend=f"say {told}, or uninstall one")
    for plugin in CATALOGUE.plugins():
        name, at, distribution = plugin.name.partition("@")
        if at:
            what = f"{distribution} and another distribution both call a plugin {name!r}"
            yield Finding(
                level="warning", about=plugin.name, what=what, mend=f"say {plugin.name}:NAME, or uninstall one"
            )


def _ageing() -> Iterator[Finding]:
    for plugin in CATALOGUE.plugins():
        for note in plugin.notes:
            mend = f"pip install --upgrade {plugin.distribution}, or tell its author"
            yield Finding(level="warning", about=plugin.name, what=note, mend=mend)


def _off() -> Iterator[Finding]:
    for plugin in CATALOGUE.plugins():
        if plugin.status == "off":
            mend = "unset ZOO_PLUGINS, or name it there"
            yield Finding(level="note", about=plugin.name, what="switched off by ZOO_PLUGINS", mend=mend)


def _lacking() -> Iterator[Finding]:
    """Tell of requirements that are not installed: of a plugin's distribution, or of an extra of it."""
    for distribution in sorted({plugin.distribution for plugin in CATALOGUE.plugins()}):
        missing: dict[str, list[str]] = {}
        for extra, need, name in _needs(distribution):
            if extra not in FOR_WORK and normalized(name) != distribution and not _is_installed(name):
                missing.setdefault(extra, []).append(need)
        for extra, needs in missing.items():
            what = f"{', '.join(needs)} {'is' if len(needs) == 1 else 'are'} not installed"
            whole = f"pip install '{distribution}[{extra}]'" if extra else f"pip install {' '.join(map(repr, needs))}"
            level = "note" if extra else "error"
            yield Finding(
                level=level, about=f"{distribution}[{extra}]" if extra else distribution, what=what, mend=whole
            )


def _needs(distribution: str) -> Iterator[tuple[str, str, str]]:
    """Yield (extra or nothing, requirement, name) of what a distribution requires here."""
    for line in metadata.requires(distribution) or ():
        found = REQUIREMENT.fullmatch(line)
        extra = EXTRA.search(found[3] or "") if found else None
        if found and (extra or not found[3]):  # other markers are about other machines
            yield (extra[1] if extra else ""), f"{found[1]}{found[2].strip(' ()')}", found[1]


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def summary(plugins: tuple[Plugin, ...]) -> str:
    """Return in one line how many plugins there are, and how many are not used."""
    states = [plugin.status for plugin in plugins]
    parts = [f"{len(plugins)} plugins"]
    parts += [f"{states.count(state)} {state}" for state in ("quarantined", "off") if state in states]
    return ", ".join(parts)
