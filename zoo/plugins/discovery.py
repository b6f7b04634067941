"""Find the installed plugins, and read from `ZOO_PLUGINS` which are enabled. No plugin is imported here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zoo.plugins.entry_points import EntryPoint, iter_entry_points
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.source import Source
from zoo.plugins.spec import CallbackSpec, Command, DatasetSpec, EncoderSpec, ModelSpec

ENTRY_POINT_GROUP = "zoo"
ZOO_DISTRIBUTION = "zoo-models"
SPEC_TYPES: dict[str, type] = {
    "models": ModelSpec,
    "encoders": EncoderSpec,
    "datasets": DatasetSpec,
    "experiments": Experiment,
    "commands": Command,
    "callbacks": CallbackSpec,
    "sources": Source,
}


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An installed plugin: its distribution, the values it offers, and the reason if it is not used.

    Args:
        name: Its entry point's name, or `name@distribution` if two distributions use the same name.
        distribution: The installed distribution that contains it.
        version: That distribution's version.
        target: The value of its entry point: `package.module[:attribute]`.
        status: `ready`, `quarantined` (with `reason`), or `off` (by `ZOO_PLUGINS`).
        reason: The reason why it is quarantined, in one line.
        traceback: The traceback of the error, if there is one.
        offers: The values it offers.
        notes: Warnings for its author: parts of the contract it uses that will be removed.
    """

    name: str
    distribution: str
    version: str
    target: str
    status: str = "ready"
    reason: str = ""
    traceback: str = ""
    offers: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_first_party(self) -> bool:
        """Whether it ships with zoo."""
        return self.distribution == ZOO_DISTRIBUTION

    def offers_of(self, kind: str) -> tuple[Any, ...]:
        """Return the values it offers of one kind, a key of `SPEC_TYPES` such as `models`."""
        return tuple(value for value in self.offers if isinstance(value, SPEC_TYPES[kind]))


def _iter_distributions() -> Iterator[tuple[str, str, EntryPoint]]:
    """Yield (distribution, version, entry point) of the group `zoo`, and skip a distribution that cannot be read.

    Of two copies of one distribution the first on `sys.path` counts, since Python imports that one.
    """
    seen: set[str] = set()
    for distribution, points in iter_entry_points(ENTRY_POINT_GROUP):
        if distribution is None or distribution[0] in seen:
            continue
        name, version = distribution
        seen.add(name)
        yield from ((name, version, point) for point in points)


def find_plugins() -> list[tuple[Plugin, EntryPoint]]:
    """Return every plugin once with its entry point, sorted by name.

    A name that two distributions use belongs to zoo if it is one of them. Otherwise each gets the name
    `name@distribution`.
    """
    points: dict[tuple[str, str, str], tuple[str, EntryPoint]] = {}
    for distribution, version, point in _iter_distributions():
        points.setdefault((point.name, distribution, point.value), (version, point))
    uses = Counter(name for name, _, _ in points)
    own = {name for name, distribution, _ in points if distribution == ZOO_DISTRIBUTION}
    plugins = []
    for (name, distribution, target), (version, point) in sorted(points.items()):
        is_unambiguous = uses[name] == 1 or (name in own and distribution == ZOO_DISTRIBUTION)
        full_name = name if is_unambiguous else f"{name}@{distribution}"
        plugins.append((Plugin(name=full_name, distribution=distribution, version=version, target=target), point))
    return plugins


def is_enabled(name: str, setting: str | None) -> bool:
    """Return whether `ZOO_PLUGINS` enables a plugin: unset means all, empty none, `a,b` only those, `-a` all but it."""
    if setting is None:
        return True
    items = [item.strip() for item in setting.split(",") if item.strip()]
    names = (name, name.partition("@")[0])
    if any(item[1:] in names for item in items if item.startswith("-")):
        return False
    included = [item for item in items if not item.startswith("-")]
    return any(item in names for item in included) if included else bool(items)
