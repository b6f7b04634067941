"""Find the installed plugins: which distributions name one, and which of them are wanted. Nothing is imported here."""

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
    """An installed plugin: where it comes from, what it offers, and why it is not used if it is not.

    Args:
        name: Its entry point's name, or `name@distribution` when two distributions use one name.
        distribution: The installed distribution that brings it.
        version: That distribution's version.
        target: What the entry point names: `package.module[:attribute]`.
        status: `ready`, `quarantined` (with `reason`), or `off` (by `ZOO_PLUGINS`).
        reason: Why it is quarantined, in one line.
        traceback: The traceback behind the reason, if there is one.
        offers: The values it offers.
        notes: What its author should know: parts of the contract it uses that are to go.
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
        """Whether it comes with zoo itself."""
        return self.distribution == ZOO_DISTRIBUTION

    def offers_of(self, kind: str) -> tuple[Any, ...]:
        """Return what it offers of one kind, such as `models`; the kinds are those of `KINDS`."""
        return tuple(value for value in self.offers if isinstance(value, SPEC_TYPES[kind]))


def _iter_distributions() -> Iterator[tuple[str, str, EntryPoint]]:
    """Yield (distribution, version, entry point) of group `zoo`; a distribution that cannot be read is passed by.

    Of two copies of one distribution the first on `sys.path` counts, since Python imports that one.
    """
    seen: set[str] = set()
    for head, points in iter_entry_points(ENTRY_POINT_GROUP):
        if head is None or head[0] in seen:
            continue
        name, version = head
        seen.add(name)
        yield from ((name, version, point) for point in points)


def find_plugins() -> list[tuple[Plugin, EntryPoint]]:
    """Return every plugin once, sorted; one name used by two distributions belongs to zoo, or to neither."""
    points: dict[tuple[str, str, str], tuple[str, EntryPoint]] = {}
    for distribution, version, point in _iter_distributions():
        points.setdefault((point.name, distribution, point.value), (version, point))
    uses = Counter(name for name, _, _ in points)
    own = {name for name, distribution, _ in points if distribution == ZOO_DISTRIBUTION}
    plugins = []
    for (name, distribution, target), (version, point) in sorted(points.items()):
        is_plain = uses[name] == 1 or (name in own and distribution == ZOO_DISTRIBUTION)
        full_name = name if is_plain else f"{name}@{distribution}"
        plugins.append((Plugin(name=full_name, distribution=distribution, version=version, target=target), point))
    return plugins


def is_enabled(name: str, setting: str | None) -> bool:
    """Read `ZOO_PLUGINS`: unset means all, empty none, `a,b` only those, `-a` all but that one."""
    if setting is None:
        return True
    words = [word.strip() for word in setting.split(",") if word.strip()]
    names = (name, name.partition("@")[0])
    if any(word[1:] in names for word in words if word.startswith("-")):
        return False
    chosen = [word for word in words if not word.startswith("-")]
    return any(word in names for word in chosen) if chosen else bool(words)
