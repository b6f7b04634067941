"""Check import strings such as `package.module:name`, and import the objects they name. No torch here."""

from __future__ import annotations

import re
import sys
from functools import reduce
from importlib import import_module
from typing import Any

from zoo.errors import ConfigError, PluginError, ZooError, did_you_mean

IMPORT_STRING_PATTERN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def check_import_string(target: object, owner: str, field_name: str = "build") -> None:
    """Raise a `ConfigError` unless `target` is an import string, such as `package.module:Name`."""
    if not isinstance(target, str) or not IMPORT_STRING_PATTERN.fullmatch(target):
        raise ConfigError(f"{owner}: {field_name} is an import string such as 'package.module:Name', not {target!r}")


def load_object(target: str) -> Any:
    """Import `package.module[:name[.name]]` and return the module or the object.

    Raises:
        Exception: Whatever the import or the lookup raises.
    """
    module, _, path = target.partition(":")
    return reduce(getattr, filter(None, path.strip().split(".")), import_module(module.strip()))


def import_object(target: str, owner: str) -> Any:
    """Import the object that an import string of a plugin names.

    Args:
        target: The import string.
        owner: The name of the model, data set or command it belongs to, for the message.

    Raises:
        PluginError: The object cannot be imported. Other `ZooError`s pass unchanged.
    """
    try:
        return load_object(target)
    except ZooError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}{_suggest(target)}"
        raise PluginError(f"{owner} cannot be imported from {target}: {reason}") from error


def _suggest(target: str) -> str:
    """Return near names if the module was imported and lacks the name."""
    module, _, path = target.partition(":")
    loaded = sys.modules.get(module)
    is_missing = loaded is not None and path.partition(".")[0] not in vars(loaded)
    return did_you_mean(path, vars(loaded)) if is_missing else ""
