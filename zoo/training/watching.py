"""From the name of a callback that a plugin offers to the callback."""

from __future__ import annotations

from collections.abc import Iterable

from zoo.errors import ConfigError, PluginError
from zoo.factory.build import resolved
from zoo.plugins.catalog import CATALOGUE
from zoo.training.callbacks import Callback


def watchers(wanted: Iterable[Callback | str] | str) -> list[Callback]:
    """Return callbacks, those made anew that are named; one name alone is one.

    Raises:
        ConfigError: They are no list.
        UnknownNameError, PluginError: As `watcher`.
    """
    if isinstance(wanted, str):
        return [watcher(wanted)]
    if not isinstance(wanted, Iterable):
        raise ConfigError(f"callbacks is a list of callbacks or of names that plugins offer, not {wanted!r}")
    return [watcher(each) for each in wanted]


def watcher(wanted: Callback | str) -> Callback:
    """Return a callback, made anew if it is named.

    Raises:
        UnknownNameError: No plugin offers that name.
        PluginError: It cannot be made.
    """
    if not isinstance(wanted, str):
        return wanted
    shelf = CATALOGUE.shelf("callbacks")
    spec = shelf[wanted]
    try:
        made: Callback = resolved(spec.build, spec.name)()
    except Exception as error:
        whose = f"the callback {wanted!r} of plugin {shelf.owner(wanted)}"
        raise PluginError(f"{whose} cannot be made: {type(error).__name__}: {error}") from error
    return made
