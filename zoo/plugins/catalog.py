"""Load every installed plugin by itself, quarantine the broken ones, and fill the registries."""

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

    What a plugin prints while it is imported goes to standard error, so that it cannot spoil `--json`.
    """
    try:
        with redirect_stdout(sys.stderr):
            results = CONTRACT.collect(plugin.name, entry_point.load(), version=version)
        return replace(plugin, offers=results.offers, notes=results.notes)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        import traceback  # an import that only a failure pays for

        return replace(plugin, status="quarantined", reason=_describe_error(error), traceback=traceback.format_exc())


def _describe_error(error: BaseException) -> str:
    """Return an error's class and message in one line; even `str(error)` may fail for a plugin's own class."""
    import textwrap

    try:
        message = textwrap.shorten(str(error), 300, placeholder=" ...")
    except Exception:
        message = ""
    if message and isinstance(error, PluginError):
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


class Catalog:
    """All installed plugins, loaded when first read.

    A plugin that reads a registry while it is itself being imported gets a `PluginError` and is quarantined.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._plugins: tuple[Plugin, ...] | None = None
        self._offers: dict[str, tuple[tuple[str, Any], ...]] = {}
        self._registries: dict[str, Registry[Any]] = {}
        self._is_loading = False

    def plugins(self) -> tuple[Plugin, ...]:
        """Return every plugin, sorted by name."""
        with self._lock:
            if self._plugins is None:
                self._plugins = self._load_all()
                self._warn_of_deprecations()
            return self._plugins

    def _warn_of_deprecations(self) -> None:
        """Warn of deprecated parts of the contract; Python shows such warnings in tests, and hides them from users."""
        for plugin in self._plugins or ():
            for note in plugin.notes:
                message = f"plugin {plugin.name} of {plugin.distribution} {plugin.version}: {note}"
                warnings.warn(message, DeprecationWarning, stacklevel=4)

    def _load_all(self) -> tuple[Plugin, ...]:
        if self._is_loading:
            raise PluginError("it reads zoo's registries while it is imported; read them inside a function instead")
        self._is_loading = True
        try:
            setting, plugins = os.environ.get("ZOO_PLUGINS"), find_plugins()
            version = next((plugin.version for plugin, _ in plugins if plugin.is_first_party), "unknown")
            return tuple(
                _load(plugin, point, version) if is_enabled(plugin.name, setting) else replace(plugin, status="off")
                for plugin, point in plugins
            )
        finally:
            self._is_loading = False

    def _offers_of(self, kind: str) -> tuple[tuple[str, Any], ...]:
        """Return (plugin, value) pairs of one kind, gathered once, since a registry needs them at each look-up."""
        with self._lock:
            plugins = self.plugins()
            if kind not in self._offers:
                self._offers[kind] = tuple((each.name, value) for each in plugins for value in each.offers_of(kind))
            return self._offers[kind]

    def registry(self, kind: str) -> Registry[Any]:
        """Return the read-only registry of one kind; the one of models also looks into the sources."""
        if kind not in self._registries:
            noun = "data set" if kind == "datasets" else kind.removesuffix("s")
            sources = self.registry("sources") if kind == "models" else None
            self._registries[kind] = Registry(
                noun, partial(self._offers_of, kind), self._first_party_names, sources, self.quarantine_hint
            )
        return self._registries[kind]

    def quarantine_hint(self) -> str:
        """Return the quarantined plugins as the end of a message, since they may offer the name that is missing."""
        quarantined = [plugin.name for plugin in self.plugins() if plugin.status == "quarantined"]
        return f"; quarantined: {join_names(quarantined)}, see: zoo plugins" if quarantined else ""

    def _first_party_names(self) -> frozenset[str]:
        return frozenset(plugin.name for plugin in self.plugins() if plugin.is_first_party)


CATALOG = Catalog()
