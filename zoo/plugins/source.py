"""A source: many models of another library, offered under one prefix and looked up when asked for. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from zoo.errors import ConfigError, PluginError, UnknownNameError, ZooError, did_you_mean, join_names
from zoo.plugins.spec import IMPORT_STRING_PATTERN, ModelSpec, check_name


@dataclass(frozen=True, kw_only=True)
class Source:
    """Models of another library: `zoo.create("timm:resnet18")` makes one of the source `timm`.

    The bare shelf `zoo.models` does not list them; `zoo.models.find("timm:*")` does, and every name is found on it.

    Args:
        name: The prefix, such as `timm`.
        summary: One line for `zoo list --shelf sources`.
        names: Import string of a callable that returns the names; it is cheap and does not import the library.
        model: Import string of a callable that takes a name and returns its `ModelSpec`, named `prefix:name`.
        examples: A few names, the ones that `zoo plugins check` tries.
    """

    name: str
    summary: str
    names: str
    model: str
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the name and the import strings."""
        check_name(self.name, "source")
        for target in (self.names, self.model):
            if not isinstance(target, str) or not IMPORT_STRING_PATTERN.fullmatch(target):
                raise ConfigError(f"{self.name}: {target!r} is no import string such as 'package.module:name'")

    def list_names(self) -> tuple[str, ...]:
        """Return every name under the prefix, sorted.

        Raises:
            PluginError: The plugin cannot say.
        """
        return _load_names(self)

    def get_spec(self, name: str) -> ModelSpec:
        """Return the model of one name.

        Raises:
            UnknownNameError: There is no such name under the prefix.
            PluginError: The plugin cannot say, or returns something else.
        """
        if name not in self.list_names():
            near = (
                did_you_mean(f"{self.name}:{name}", self._prefixed_names()) or f"; zoo list '{self.name}:*' shows all"
            )
            raise UnknownNameError(f"no model named '{self.name}:{name}'{near}")
        return _load_spec(self, name)

    def _prefixed_names(self) -> list[str]:
        return [f"{self.name}:{name}" for name in self.list_names()]


@cache
def _load_names(source: Source) -> tuple[str, ...]:
    names = _call(source, source.names)
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise PluginError(f"{source.names} of source {source.name!r} returns names, not {names!r}")
    return tuple(sorted(set(names)))


@cache
def _load_spec(source: Source, name: str) -> ModelSpec:
    spec = _call(source, source.model, name)
    if not isinstance(spec, ModelSpec) or spec.name != f"{source.name}:{name}":
        raise PluginError(f"{source.model} of source {source.name!r} returned {spec!r} for {name!r}")
    return spec


def _call(source: Source, target: str, *words: str) -> Any:
    module, _, path = target.partition(":")
    try:
        function: Any = import_module(module)
        for part in path.split("."):
            function = getattr(function, part)
        return function(*words)
    except ZooError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise PluginError(f"source {source.name!r} cannot answer {join_names(words) or 'its names'}: {told}") from error
