"""Find the installed plugins: which distributions name one, and which of them are wanted. Nothing is imported here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zoo.plugins.entry_points import Point, installed
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.source import Source
from zoo.plugins.spec import CallbackSpec, Command, DatasetSpec, EncoderSpec, ModelSpec

GROUP = "zoo"
OWN_DISTRIBUTION = "zoo-models"
KINDS: dict[str, type] = {
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
        trace: The traceback behind the reason, if there is one.
        offers: The values it offers.
        notes: What its author should know: parts of the contract it uses that are to go.
    """

    name: str
    distribution: str
    version: str
    target: str
    status: str = "ready"
    reason: str = ""
    trace: str = ""
    offers: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether it comes with zoo itself."""
        return self.distribution == OWN_DISTRIBUTION

    def offered(self, kind: str) -> tuple[Any, ...]:
        """Return what it offers of one kind, such as `models`; the kinds are those of `KINDS`."""
        return tuple(value for value in self.offers if isinstance(value, KINDS[kind]))


def _entry_points() -> Iterator[tuple[str, str, Point]]:
    """Yield (distribution, version, entry point) of group `zoo`; a distribution that cannot be read is passed by.

    Of two copies of one distribution the first on `sys.path` counts, since Python imports that one.
    """
    seen: set[str] = set()
    for head, points in installed(GROUP):
        if head is None or head[0] in seen:
            continue
        name, version = head
        seen.add(name)
        yield from ((name, version, point) for point in points)


def found() -> list[tuple[Plugin, Point]]:
    """Return every plugin once, sorted; one name used by two distributions belongs to zoo, or to neither."""
    points: dict[tuple[str, str, str], tuple[str, Point]] = {}
    for distribution, version, point in _entry_points():
        points.setdefault((point.name, distribution, point.value), (version, point))
    uses = Counter(name for name, _, _ in points)
    own = {name for name, distribution, _ in points if distribution == OWN_DISTRIBUTION}
    plugins = []
    for (name, distribution, target), (version, point) in sorted(points.items()):
        is_plain = uses[name] == 1 or (name in own and distribution == OWN_DISTRIBUTION)
        full_name = name if is_plain else f"{name}@{distribution}"
        plugins.append((Plugin(name=full_name, distribution=distribution, version=version, target=target), point))
    return plugins


def is_wanted(name: str, setting: str | None) -> bool:
    """Read `ZOO_PLUGINS`: unset means all, empty none, `a,b` only those, `-a` all but that one."""
    if setting is None:
        return True
    words = [word.strip() for word in setting.split(",") if word.strip()]
    names = (name, name.partition("@")[0])
    if any(word[1:] in names for word in words if word.startswith("-")):
        return False
    chosen = [word for word in words if not word.startswith("-")]
    return any(word in names for word in chosen) if chosen else bool(words)
