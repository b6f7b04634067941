"""Find the plugins, quarantine the broken ones one at a time, and fill the shelves."""

from __future__ import annotations

import os
import re
import textwrap
import threading
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from itertools import islice
from typing import Any

import pluggy

from zoo import hooks
from zoo.errors import PluginError, listed
from zoo.registry import Registry
from zoo.spec import Command, DatasetSpec, EncoderSpec, Experiment, ModelSpec

GROUP = "zoo"
OWN_DISTRIBUTION = "zoo-models"
SUPPORTED_API = (1, hooks.API_VERSION)
MAX_OFFERS = 10_000
KINDS: dict[str, type] = {
    "models": ModelSpec,
    "encoders": EncoderSpec,
    "datasets": DatasetSpec,
    "experiments": Experiment,
    "commands": Command,
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
    """

    name: str
    distribution: str
    version: str
    target: str
    status: str = "ready"
    reason: str = ""
    trace: str = ""
    offers: tuple[Any, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether it comes with zoo itself."""
        return self.distribution == OWN_DISTRIBUTION

    def offered(self, kind: str) -> tuple[Any, ...]:
        """Return what it offers of one kind: `models`, `encoders`, `datasets`, `experiments` or `commands`."""
        return tuple(value for value in self.offers if isinstance(value, KINDS[kind]))


def _entry_points() -> Iterator[tuple[str, str, metadata.EntryPoint]]:
    """Yield (distribution, version, entry point) of group `zoo`; a distribution that cannot be read is passed by.

    Of two copies of one distribution the first on `sys.path` counts, since Python imports that one.
    """
    seen: set[str] = set()
    for distribution in metadata.distributions():
        try:
            points = [point for point in distribution.entry_points if point.group == GROUP]
            if not points:  # the metadata of some hundred others need not be parsed
                continue
            name, version = _normalized(distribution.metadata["Name"]), distribution.version or "unknown"
        except Exception:  # broken metadata of some package; nothing says that it is a plugin of ours
            continue
        if name not in seen:
            yield from ((name, version, point) for point in points)
        seen.add(name)


def _normalized(name: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _found() -> list[tuple[Plugin, metadata.EntryPoint]]:
    """Return every plugin once, sorted; one name used by two distributions belongs to zoo, or to neither."""
    found: dict[tuple[str, str, str], tuple[str, metadata.EntryPoint]] = {}
    for distribution, version, point in _entry_points():
        found.setdefault((point.name, distribution, point.value), (version, point))
    uses = Counter(name for name, _, _ in found)
    own = {name for name, distribution, _ in found if distribution == OWN_DISTRIBUTION}
    plugins = []
    for (name, distribution, target), (version, point) in sorted(found.items()):
        is_plain = uses[name] == 1 or (name in own and distribution == OWN_DISTRIBUTION)
        full_name = name if is_plain else f"{name}@{distribution}"
        plugins.append((Plugin(name=full_name, distribution=distribution, version=version, target=target), point))
    return plugins


def _is_wanted(name: str, setting: str | None) -> bool:
    """Read `ZOO_PLUGINS`: unset means all, empty none, `a,b` only those, `-a` all but that one."""
    if setting is None:
        return True
    words = [word.strip() for word in setting.split(",") if word.strip()]
    names = (name, name.partition("@")[0])
    if any(word[1:] in names for word in words if word.startswith("-")):
        return False
    chosen = [word for word in words if not word.startswith("-")]
    return any(word in names for word in chosen) if chosen else bool(words)


def _check_api(module: Any) -> None:
    """Judge the contract version that a plugin declares; the host decides, not the plugin."""
    declared = getattr(module, "zoo_api", SUPPORTED_API[0])
    low, high = declared if isinstance(declared, tuple) and len(declared) == 2 else (declared, declared)
    if not isinstance(low, int) or not isinstance(high, int):
        raise PluginError(f"zoo_api is a number or a pair of numbers, not {declared!r}")
    if high < SUPPORTED_API[0] or low > SUPPORTED_API[1]:
        wanted = f"{low}" if low == high else f"{low} to {high}"
        ours = (
            f"{SUPPORTED_API[1]}"
            if SUPPORTED_API[0] == SUPPORTED_API[1]
            else f"{SUPPORTED_API[0]} to {SUPPORTED_API[1]}"
        )
        mend = "upgrade zoo-models" if low > SUPPORTED_API[1] else "upgrade the plugin"
        raise PluginError(f"it is written for plugin API {wanted}, this zoo speaks {ours}; {mend}")


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager("zoo")
    manager.add_hookspecs(hooks)
    return manager


def _offers(name: str, module: Any) -> tuple[Any, ...]:
    """Register a plugin alone, call its hooks, and check what they return."""
    manager = _manager()
    _check_api(module)
    manager.register(module, name=name)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise PluginError(f"it implements no hook; zoo knows {listed(f'zoo_{kind}' for kind in KINDS)}")
    offers: list[Any] = []
    for kind, expected in KINDS.items():
        for result in getattr(manager.hook, f"zoo_{kind}")():
            offers += _values(kind, expected, result)
    _check_doubles(offers)
    return tuple(offers)


def _values(kind: str, expected: type, result: object) -> list[Any]:
    if isinstance(result, str) or not isinstance(result, Iterable):
        raise PluginError(f"zoo_{kind} returns {expected.__name__}s, but it returned {result!r}")
    values = list(islice(result, MAX_OFFERS + 1))
    if len(values) > MAX_OFFERS:
        raise PluginError(f"zoo_{kind} returned more than {MAX_OFFERS} values")
    for value in values:
        if not isinstance(value, expected):
            raise PluginError(f"zoo_{kind} returns {expected.__name__}s, but one of them is {value!r}")
    return values


def _check_doubles(offers: list[Any]) -> None:
    doubles = [
        f"{kind.__name__} {name!r}" for (kind, name), n in Counter((type(v), v.name) for v in offers).items() if n > 1
    ]
    if doubles:
        raise PluginError(f"it offers {listed(doubles)} more than once")


def _loaded(plugin: Plugin, point: metadata.EntryPoint) -> Plugin:
    """Return the plugin with its offers, or quarantined with the reason. Only Ctrl-C goes through."""
    try:
        return replace(plugin, offers=_offers(plugin.name, point.load()))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return replace(plugin, status="quarantined", reason=_told(error), trace=traceback.format_exc())


def _told(error: BaseException) -> str:
    """Return an error's kind and message in one line; a stranger's error may fail even to say what it is."""
    try:
        words = textwrap.shorten(str(error), 300, placeholder=" ...")
    except Exception:
        words = ""
    if words and isinstance(error, PluginError):
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


class Catalogue:
    """All installed plugins, read at the first look and kept.

    A plugin that looks at the shelves while it is itself being read gets a `PluginError` and is quarantined.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._plugins: tuple[Plugin, ...] | None = None
        self._offers: dict[str, tuple[tuple[str, Any], ...]] = {}
        self._is_reading = False

    def plugins(self) -> tuple[Plugin, ...]:
        """Return every plugin, in the order of their names."""
        with self._lock:
            if self._plugins is None:
                self._plugins = self._read()
            return self._plugins

    def _read(self) -> tuple[Plugin, ...]:
        if self._is_reading:
            raise PluginError("it looks at zoo's shelves while it is being read; look inside a function instead")
        self._is_reading = True
        try:
            setting = os.environ.get("ZOO_PLUGINS")
            return tuple(
                _loaded(plugin, point) if _is_wanted(plugin.name, setting) else replace(plugin, status="off")
                for plugin, point in _found()
            )
        finally:
            self._is_reading = False

    def forget(self) -> None:
        """Read the installed plugins anew at the next look."""
        with self._lock:
            self._plugins = None
            self._offers.clear()

    def _offered(self, kind: str) -> tuple[tuple[str, Any], ...]:
        """Return (plugin, value) pairs of one kind, gathered once, since a shelf asks for them at each look."""
        with self._lock:
            plugins = self.plugins()
            if kind not in self._offers:
                self._offers[kind] = tuple((each.name, value) for each in plugins for value in each.offered(kind))
            return self._offers[kind]

    def shelf(self, kind: str) -> Registry[Any]:
        """Return the read-only shelf of one kind."""

        def holders() -> frozenset[str]:
            return frozenset(plugin.name for plugin in self.plugins() if plugin.is_own)

        what = "data set" if kind == "datasets" else kind.removesuffix("s")
        return Registry(what, partial(self._offered, kind), holders)


CATALOGUE = Catalogue()
