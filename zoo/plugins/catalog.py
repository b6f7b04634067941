"""Load the plugins one at a time, quarantine the broken, and fill the shelves."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from typing import Any

from zoo.errors import PluginError, join_names
from zoo.plugins.contract import Contract
from zoo.plugins.discovery import Plugin, find_plugins, is_enabled
from zoo.plugins.entry_points import EntryPoint
from zoo.plugins.registry import Registry

CONTRACT = Contract()


def _load(plugin: Plugin, entry_point: EntryPoint, version: str) -> Plugin:
    """Return the plugin with its offers, or quarantined with the reason. Only Ctrl-C goes through.

    What a plugin prints meanwhile goes to standard error, so that it cannot spoil `--json`.
    """
    try:
        with redirect_stdout(sys.stderr):
            answer = CONTRACT.collect(plugin.name, entry_point.load(), version=version)
        return replace(plugin, offers=answer.offers, notes=answer.notes)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        import traceback  # only what fails pays for it

        return replace(plugin, status="quarantined", reason=_describe_error(error), traceback=traceback.format_exc())


def _describe_error(error: BaseException) -> str:
    """Return an error's kind and message in one line; a stranger's error may fail even to say what it is."""
    import textwrap

    try:
        words = textwrap.shorten(str(error), 300, placeholder=" ...")
    except Exception:
        words = ""
    if words and isinstance(error, PluginError):
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


class Catalog:
    """All installed plugins, read at the first look and kept.

    A plugin that looks at the shelves while it is itself being read gets a `PluginError` and is quarantined.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._plugins: tuple[Plugin, ...] | None = None
        self._offers: dict[str, tuple[tuple[str, Any], ...]] = {}
        self._registries: dict[str, Registry[Any]] = {}
        self._is_loading = False

    def plugins(self) -> tuple[Plugin, ...]:
        """Return every plugin, in the order of their names."""
        with self._lock:
            if self._plugins is None:
                self._plugins = self._load_all()
                self._warn_of_deprecations()
            return self._plugins

    def _warn_of_deprecations(self) -> None:
        """Warn of what is to go; Python shows such warnings to those who test, not to those who use."""
        for plugin in self._plugins or ():
            for note in plugin.notes:
                told = f"plugin {plugin.name} of {plugin.distribution} {plugin.version}: {note}"
                warnings.warn(told, DeprecationWarning, stacklevel=4)

    def _load_all(self) -> tuple[Plugin, ...]:
        if self._is_loading:
            raise PluginError("it looks at zoo's shelves while it is being read; look inside a function instead")
        self._is_loading = True
        try:
            setting, every = os.environ.get("ZOO_PLUGINS"), find_plugins()
            version = next((plugin.version for plugin, _ in every if plugin.is_first_party), "unknown")
            return tuple(
                _load(plugin, point, version) if is_enabled(plugin.name, setting) else replace(plugin, status="off")
                for plugin, point in every
            )
        finally:
            self._is_loading = False

    def clear(self) -> None:
        """Read the installed plugins anew at the next look."""
        with self._lock:
            self._plugins = None
            self._offers.clear()

    def _offers_of(self, kind: str) -> tuple[tuple[str, Any], ...]:
        """Return (plugin, value) pairs of one kind, gathered once, since a shelf asks for them at each look."""
        with self._lock:
            plugins = self.plugins()
            if kind not in self._offers:
                self._offers[kind] = tuple((each.name, value) for each in plugins for value in each.offers_of(kind))
            return self._offers[kind]

    def registry(self, kind: str) -> Registry[Any]:
        """Return the read-only shelf of one kind; that of models knows the sources too."""
        if kind not in self._registries:
            what = "data set" if kind == "datasets" else kind.removesuffix("s")
            sources = self.registry("sources") if kind == "models" else None
            self._registries[kind] = Registry(
                what, partial(self._offers_of, kind), self._first_party_names, sources, self.quarantine_hint
            )
        return self._registries[kind]

    def quarantine_hint(self) -> str:
        """Return which plugins are not used, to be said where something of theirs may be looked for."""
        broken = [plugin.name for plugin in self.plugins() if plugin.status == "quarantined"]
        return f"; quarantined: {join_names(broken)}, see: zoo plugins" if broken else ""

    def _first_party_names(self) -> frozenset[str]:
        return frozenset(plugin.name for plugin in self.plugins() if plugin.is_first_party)


CATALOG = Catalog()
