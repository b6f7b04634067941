"""From the name of a callback that a plugin offers to the callback."""

from __future__ import annotations

from collections.abc import Iterable

from zoo.errors import ConfigError, PluginError
from zoo.plugins.catalog import CATALOG
from zoo.plugins.import_string import import_object
from zoo.training.callbacks import Callback


def resolve_callbacks(callbacks: Iterable[Callback | str] | str) -> list[Callback]:
    """Return callbacks, those made anew that are named; one name alone is one.

    Raises:
        ConfigError: They are no list.
        UnknownNameError, PluginError: As `watcher`.
    """
    if isinstance(callbacks, str):
        return [resolve_callback(callbacks)]
    if not isinstance(callbacks, Iterable):
        raise ConfigError(f"callbacks is a list of callbacks or of names that plugins offer, not {callbacks!r}")
    return [resolve_callback(each) for each in callbacks]


def resolve_callback(callback: Callback | str) -> Callback:
    """Return a callback, made anew if it is named.

    Raises:
        UnknownNameError: No plugin offers that name.
        PluginError: It cannot be made.
    """
    if not isinstance(callback, str):
        return callback
    shelf = CATALOG.registry("callbacks")
    spec = shelf[callback]
    try:
        made: Callback = import_object(spec.build, spec.name)()
    except Exception as error:
        whose = f"the callback {callback!r} of plugin {shelf.owner(callback)}"
        raise PluginError(f"{whose} cannot be made: {type(error).__name__}: {error}") from error
    return made
