"""Find the problems of the installed plugins, and what to do about each. No torch here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import SPEC_TYPES, ZOO_DISTRIBUTION, Plugin
from zoo.plugins.entry_points import canonicalize_name

LEVELS = ("error", "warning", "note")
REQUIREMENT_PATTERN = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?([^;]*)(?:;(.*))?")
EXTRA_PATTERN = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
DEVELOPMENT_EXTRAS = ("dev", "test", "tests", "docs")
"""Extras for those who develop a plugin; its users do not need them."""


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """A problem of an installed plugin, and what to do about it.

    Args:
        level: `error` (something installed does not work), `warning` (it will stop working, or needs a longer name) or
            `note` (something more could be installed or enabled).
        subject: The plugin, distribution or name it is about.
        problem: What is wrong.
        fix: What to do.
    """

    level: str
    subject: str
    problem: str
    fix: str


def diagnose() -> list[Diagnostic]:
    """Return all problems of the installed plugins, the worst first."""
    checks = (_check_quarantined, _check_clashes, _check_deprecations, _check_requirements, _check_switched_off)
    diagnostics = [diagnostic for check in checks for diagnostic in check()]
    return sorted(diagnostics, key=lambda diagnostic: LEVELS.index(diagnostic.level))


def _check_quarantined() -> Iterator[Diagnostic]:
    for plugin in CATALOG.plugins():
        if plugin.status == "quarantined":
            upgrade, remove = f"pip install --upgrade {plugin.distribution}", f"pip uninstall {plugin.distribution}"
            fix = f"{upgrade}, or {remove}, or ZOO_PLUGINS=-{plugin.name} to ignore it"
            fix += f"; its author: zoo plugins check {plugin.name}"
            if "upgrade zoo-models" in plugin.reason:
                fix = f"pip install --upgrade {ZOO_DISTRIBUTION}"
            yield Diagnostic(level="error", subject=plugin.name, problem=f"quarantined: {plugin.reason}", fix=fix)


def _check_clashes() -> Iterator[Diagnostic]:
    for kind in SPEC_TYPES:
        for name, owners in CATALOG.registry(kind).clashes().items():
            problem = f"{kind.removesuffix('s')} {name!r} is offered by {', '.join(owners)}"
            full_names = " or ".join(f"{owner}:{name}" for owner in owners)
            fix = f"write {full_names}, or uninstall one"
            yield Diagnostic(level="warning", subject=name, problem=problem, fix=fix)
    for plugin in CATALOG.plugins():
        name, is_ambiguous, distribution = plugin.name.partition("@")
        if is_ambiguous:
            problem = f"{distribution} and another distribution both have a plugin named {name!r}"
            fix = f"write {plugin.name}:NAME, or uninstall one"
            yield Diagnostic(level="warning", subject=plugin.name, problem=problem, fix=fix)


def _check_deprecations() -> Iterator[Diagnostic]:
    for plugin in CATALOG.plugins():
        for note in plugin.notes:
            fix = f"pip install --upgrade {plugin.distribution}, or report it to its author"
            yield Diagnostic(level="warning", subject=plugin.name, problem=note, fix=fix)


def _check_switched_off() -> Iterator[Diagnostic]:
    for plugin in CATALOG.plugins():
        if plugin.status == "off":
            fix = "unset ZOO_PLUGINS, or add its name there"
            yield Diagnostic(level="note", subject=plugin.name, problem="switched off by ZOO_PLUGINS", fix=fix)


def _check_requirements() -> Iterator[Diagnostic]:
    """Yield the requirements that are not installed: of a plugin's distribution, or of one of its extras."""
    for distribution in sorted({plugin.distribution for plugin in CATALOG.plugins()}):
        missing: dict[str, list[str]] = {}
        for extra, requirement, name in _iter_requirements(distribution):
            if extra not in DEVELOPMENT_EXTRAS and canonicalize_name(name) != distribution and not _is_installed(name):
                missing.setdefault(extra, []).append(requirement)
        for extra, requirements in missing.items():
            yield _describe_missing(distribution, extra, requirements)


def _describe_missing(distribution: str, extra: str, requirements: list[str]) -> Diagnostic:
    """Return a note for an extra's missing requirements, and an error for those of the distribution itself."""
    problem = f"{', '.join(requirements)} {'is' if len(requirements) == 1 else 'are'} not installed"
    if extra:
        subject = f"{distribution}[{extra}]"
        return Diagnostic(level="note", subject=subject, problem=problem, fix=f"pip install '{subject}'")
    fix = f"pip install {' '.join(map(repr, requirements))}"
    return Diagnostic(level="error", subject=distribution, problem=problem, fix=fix)


def _iter_requirements(distribution: str) -> Iterator[tuple[str, str, str]]:
    """Yield (extra or "", requirement, name) of what a distribution requires."""
    for line in metadata.requires(distribution) or ():
        match = REQUIREMENT_PATTERN.fullmatch(line)
        extra = EXTRA_PATTERN.search(match[3] or "") if match else None
        if match and (extra or not match[3]):  # other markers are about other platforms
            yield (extra[1] if extra else ""), f"{match[1]}{match[2].strip(' ()')}", match[1]


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def summarize(plugins: tuple[Plugin, ...]) -> str:
    """Return in one line how many plugins there are, and how many of them are not used."""
    statuses = [plugin.status for plugin in plugins]
    parts = [f"{len(plugins)} plugins"]
    parts += [f"{statuses.count(status)} {status}" for status in ("quarantined", "off") if status in statuses]
    return ", ".join(parts)
