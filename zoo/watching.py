"""From the name of a callback that a plugin offers to the callback."""

from __future__ import annotations

from zoo.build import resolved
from zoo.callbacks import Callback
from zoo.errors import PluginError
from zoo.plugins import CATALOGUE


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
