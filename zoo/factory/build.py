"""Build a net from a spec: import the builder, bind a config to its signature, call it with a seed."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from torch.nn import Module

from zoo.errors import ConfigError, PluginError, ZooError, did_you_mean, join_names
from zoo.plugins.import_string import import_object
from zoo.plugins.spec import ModelSpec
from zoo.seeding import use_seed

Config = dict[str, Any]


def bind_config(spec: ModelSpec, config: Mapping[str, Any]) -> Config:
    """Return the complete config of a model: `config` over the spec's values over the builder's defaults.

    Lists become tuples, mappings become tuples of pairs, and `size=7` becomes (7, 7). If an option names something that
    has options of its own, such as an encoder, the builder has a static method `complete_config(config) -> config`
    that completes those.

    Raises:
        ConfigError: An option that the builder does not take, a value of the wrong type, or a missing value.
    """
    builder = import_object(spec.build, spec.name)
    defaults = {"size": spec.size, "channels": spec.channels, **spec.config}
    complete = bind_builder_config(builder, spec.name, defaults, config)
    complete_config = getattr(builder, "complete_config", None)
    return complete if complete_config is None else complete_config(complete)


def bind_builder_config(
    builder: Callable[..., Module], name: str, defaults: Mapping[str, Any], config: Mapping[str, Any]
) -> Config:
    """Return the complete config of a builder.

    Args:
        builder: The builder; its signature lists the options.
        name: The model, for messages.
        defaults: Values that replace the builder's defaults; options that it does not take are ignored.
        config: Values that replace both.

    Raises:
        ConfigError: An option that the builder does not take, a value of the wrong type, or a missing value.
    """
    accepted = _read_parameters(builder, name)
    for key in config:
        if key not in accepted:
            raise ConfigError(f"{name} takes no {key!r}{did_you_mean(key, accepted)}; it takes {join_names(accepted)}")
    values = {**defaults, **config}
    complete: Config = {}
    for key, (default, hint) in accepted.items():
        value = values.get(key, default)
        if value is inspect.Parameter.empty:
            raise ConfigError(f"{name} needs a value for {key!r}")
        value = (value, value) if key == "size" and isinstance(value, int) and not isinstance(value, bool) else value
        complete[key] = _coerce_value(name, key, value, hint)
    return complete


def _read_parameters(builder: Callable[..., Module], name: str) -> dict[str, tuple[Any, Any]]:
    """Return the default and the type hint of each parameter of a builder."""
    target = builder.__init__ if inspect.isclass(builder) else builder
    try:
        hints = get_type_hints(target)
    except NameError as error:
        raise PluginError(f"{name}: the types in its builder's signature cannot be read: {error}") from error
    parameters = inspect.signature(builder).parameters.values()
    if any(parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) for parameter in parameters):
        raise PluginError(f"{name}: its builder takes *args or **kwargs; a config needs named parameters")
    return {parameter.name: (parameter.default, hints.get(parameter.name, Any)) for parameter in parameters}


def _coerce_value(name: str, key: str, value: Any, hint: Any) -> Any:
    """Return a config value as plain data of its parameter's type."""
    plain = _to_plain(value)
    if not _matches_hint(plain, hint):
        raise ConfigError(f"{name} takes {key} as {_format_hint(hint)}, not {value!r}")
    numbers = plain if isinstance(plain, tuple) else (plain,)
    if key in ("size", "channels", "classes") and any(number < 1 for number in numbers):
        raise ConfigError(f"{name}: {key} is at least 1, not {value!r}")
    return plain


def _to_plain(value: Any) -> Any:
    """Return lists as tuples and mappings as tuples of pairs, at any depth."""
    value = tuple(value.items()) if isinstance(value, Mapping) else value
    return tuple(_to_plain(each) for each in value) if isinstance(value, list | tuple) else value


def _matches_hint(value: Any, hint: Any) -> bool:
    """Return whether plain data is of the type of a hint; an int is a float, a bool is not an int."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value is None or isinstance(value, bool | int | float | str | tuple)
    if origin in (Union, types.UnionType):
        return any(_matches_hint(value, each) for each in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple) and _matches_tuple(value, inner)
    if hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def _matches_tuple(value: tuple[Any, ...], inner: tuple[Any, ...]) -> bool:
    """Return whether each item is of its hint; `(hint, ...)` is for any number of items."""
    hints = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
    return len(value) == len(hints) and all(_matches_hint(each, hint) for each, hint in zip(value, hints, strict=True))


def _format_hint(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")


def build_net(spec: ModelSpec, config: Config, seed: int) -> Module:
    """Build the net of a complete config on the CPU; global random states do not change.

    Raises:
        PluginError: The builder fails, or does not return a module.
    """
    with use_seed(seed):
        return instantiate(spec.build, spec.name, config)


def instantiate(target: str, name: str, config: Config) -> Module:
    """Import a builder and call it with a complete config; the weights come from the global random states.

    Raises:
        ConfigError: The builder fails.
        PluginError: The builder cannot be imported, or does not return a module.
    """
    builder = import_object(target, name)
    try:
        net = builder(**config)
    except ZooError:
        raise
    except Exception as error:
        settings = join_names(f"{key}={value}" for key, value in config.items())
        raise ConfigError(f"{name} cannot be built with {settings}: {type(error).__name__}: {error}") from error
    if not isinstance(net, Module):
        raise PluginError(f"{name}: {target} returned {type(net).__name__}, not a torch.nn.Module")
    return net
