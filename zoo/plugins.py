"""Load the plugins one at a time, quarantine the broken, and fill the shelves."""

from __future__ import annotations

import os
import sys
import textwrap
import threading
import traceback
from collections import Counter
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from importlib import metadata
from itertools import islice
from typing import Any

import pluggy

from zoo import hooks
from zoo.discovery import KINDS, Plugin, found, is_wanted
from zoo.errors import PluginError, listed
from zoo.registry import Registry

SUPPORTED_API = (1, hooks.API_VERSION)
MAX_OFFERS = 10_000


def _check_api(module: Any) -> None:
    """Judge the contract version that a plugin declares; the host decides, not the plugin."""
    declared = getattr(module, "zoo_api", SUPPORTED_API[0])
    low, high = declared if isinstance(declared, tuple) and len(declared) == 2 else (declared, declared)
    if not isinstance(low, int) or not isinstance(high, int):
        raise PluginError(f"zoo_api is a number or a pair of numbers, not {declared!r}")
    if high < SUPPORTED_API[0] or low > SUPPORTED_API[1]:
        mend = "upgrade zoo-models" if low > SUPPORTED_API[1] else "upgrade the plugin"
        spoken = _span(*SUPPORTED_API)
        raise PluginError(f"it is written for plugin API {_span(low, high)}, this zoo speaks {spoken}; {mend}")


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


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
    """Return the plugin with its offers, or quarantined with the reason. Only Ctrl-C goes through.

    What a plugin prints meanwhile goes to standard error, so that it cannot spoil `--json`.
    """
    try:
        with redirect_stdout(sys.stderr):
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
                _loaded(plugin, point) if is_wanted(plugin.name, setting) else replace(plugin, status="off")
                for plugin, point in found()
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
