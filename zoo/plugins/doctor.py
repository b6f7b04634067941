"""What is amiss with the installed plugins, and how to mend it. No torch here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import ZOO_DISTRIBUTION, Plugin
from zoo.plugins.entry_points import canonicalize_name
from zoo.shelves import REGISTRIES

REQUIREMENT_PATTERN = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?([^;]*)(?:;(.*))?")
EXTRA_PATTERN = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
DEVELOPMENT_EXTRAS = ("dev", "test", "tests", "docs")
"""Extras for those who change a plugin; others do not miss them."""


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """Something that a user of plugins should know.

    Args:
        level: `error` (something that is installed does not work), `warning` (it will not for ever, or needs a fuller
            name) or `note` (something more could be had).
        subject: The plugin, distribution or name it is about.
        problem: What is so.
        fix: What to do.
    """

    level: str
    subject: str
    problem: str
    fix: str


def diagnose() -> list[Diagnostic]:
    """Return all that is amiss, the worst first."""
    found = [
        finding
        for look in (_check_quarantined, _check_clashes, _check_deprecations, _check_requirements, _check_switched_off)
        for finding in look()
    ]
    levels = ("error", "warning", "note")
    return sorted(found, key=lambda finding: levels.index(finding.level))


def _check_quarantined() -> Iterator[Diagnostic]:
    for plugin in CATALOG.plugins():
        if plugin.status == "quarantined":
            newer = f"pip install --upgrade {plugin.distribution}"
            mend = f"{newer}, or pip uninstall {plugin.distribution}, or ZOO_PLUGINS=-{plugin.name} to look away"
            mend += f"; its author: zoo plugins check {plugin.name}"
            if "upgrade zoo-models" in plugin.reason:
                mend = f"pip install --upgrade {ZOO_DISTRIBUTION}"
            yield Diagnostic(level="error", subject=plugin.name, problem=f"quarantined: {plugin.reason}", fix=mend)


def _check_clashes() -> Iterator[Diagnostic]:
    for kind, shelf in REGISTRIES.items():
        for name, owners in shelf.clashes().items():
            what = f"{kind.removesuffix('s')} {name!r} is offered by {', '.join(owners)}"
            told = " or ".join(f"{owner}:{name}" for owner in owners)
            yield Diagnostic(level="warning", subject=name, problem=what, fix=f"say {told}, or uninstall one")
    for plugin in CATALOG.plugins():
        name, at, distribution = plugin.name.partition("@")
        if at:
            what = f"{distribution} and another distribution both call a plugin {name!r}"
            yield Diagnostic(
                level="warning", subject=plugin.name, problem=what, fix=f"say {plugin.name}:NAME, or uninstall one"
            )


def _check_deprecations() -> Iterator[Diagnostic]:
    for plugin in CATALOG.plugins():
        for note in plugin.notes:
            mend = f"pip install --upgrade {plugin.distribution}, or tell its author"
            yield Diagnostic(level="warning", subject=plugin.name, problem=note, fix=mend)


def _check_switched_off() -> Iterator[Diagnostic]:
    for plugin in CATALOG.plugins():
        if plugin.status == "off":
            mend = "unset ZOO_PLUGINS, or name it there"
            yield Diagnostic(level="note", subject=plugin.name, problem="switched off by ZOO_PLUGINS", fix=mend)


def _check_requirements() -> Iterator[Diagnostic]:
    """Tell of requirements that are not installed: of a plugin's distribution, or of an extra of it."""
    for distribution in sorted({plugin.distribution for plugin in CATALOG.plugins()}):
        missing: dict[str, list[str]] = {}
        for extra, need, name in _requirements_of(distribution):
            if extra not in DEVELOPMENT_EXTRAS and canonicalize_name(name) != distribution and not _is_installed(name):
                missing.setdefault(extra, []).append(need)
        for extra, needs in missing.items():
            what = f"{', '.join(needs)} {'is' if len(needs) == 1 else 'are'} not installed"
            whole = f"pip install '{distribution}[{extra}]'" if extra else f"pip install {' '.join(map(repr, needs))}"
            level = "note" if extra else "error"
            yield Diagnostic(
                level=level, subject=f"{distribution}[{extra}]" if extra else distribution, problem=what, fix=whole
            )


def _requirements_of(distribution: str) -> Iterator[tuple[str, str, str]]:
    """Yield (extra or nothing, requirement, name) of what a distribution requires here."""
    for line in metadata.requires(distribution) or ():
        found = REQUIREMENT_PATTERN.fullmatch(line)
        extra = EXTRA_PATTERN.search(found[3] or "") if found else None
        if found and (extra or not found[3]):  # other markers are about other machines
            yield (extra[1] if extra else ""), f"{found[1]}{found[2].strip(' ()')}", found[1]


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def summarize(plugins: tuple[Plugin, ...]) -> str:
    """Return in one line how many plugins there are, and how many are not used."""
    states = [plugin.status for plugin in plugins]
    parts = [f"{len(plugins)} plugins"]
    parts += [f"{states.count(state)} {state}" for state in ("quarantined", "off") if state in states]
    return ", ".join(parts)
