"""From the name of a graph encoder to its net, with a config that stays true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.nn import Module

from zoo.errors import ConfigError, UnknownNameError
from zoo.factory.build import Config, bind_builder_config, instantiate
from zoo.plugins.catalog import CATALOG
from zoo.plugins.import_string import import_object
from zoo.plugins.spec import EncoderSpec

Size = tuple[int, int]
MODEL_PARAMETERS = ("width", "size")
"""What an encoder takes from where it stands; the rest of its signature are its options."""


def find_encoder_spec(name: str) -> EncoderSpec:
    """Return the encoder of a name on `zoo.encoders`, or of `plugin:name`.

    Raises:
        UnknownNameError: It is not installed; the message says which plugin would have it, if the name does.
        AmbiguousNameError: Several plugins offer it.
    """
    shelf = CATALOG.registry("encoders")
    try:
        spec: EncoderSpec = shelf[name]
    except UnknownNameError as error:
        raise UnknownNameError(_missing_message(name, error)) from error
    return spec


def _missing_message(name: str, error: UnknownNameError) -> str:
    owner, _, bare = name.rpartition(":")
    if not owner:
        return f"{error}; encoders come with plugins, and zoo plugins shows yours"
    plugin = next((each for each in CATALOG.plugins() if each.name == owner), None)
    if plugin is None:
        told = f"the encoder {bare!r} is missing: it comes with plugin {owner}, which is not installed"
        source = owner.partition("@")[2] or owner.replace("_", "-")  # as `zoo plugins new` names them
        return f"{told}: pip install {source}"
    if plugin.status == "ready":
        return f"the encoder {bare!r} is missing: {owner} {plugin.version} does not offer it"
    why = "turned off by ZOO_PLUGINS" if plugin.status == "off" else f"quarantined: {plugin.reason}"
    return f"the encoder {bare!r} is missing: its plugin {owner} is {why}"


def qualify_name(name: str) -> str:
    """Return a name that will find the same encoder whatever is installed later: `plugin:name`, but for zoo's own."""
    spec, shelf = find_encoder_spec(name), CATALOG.registry("encoders")
    owner = shelf.owner(name)
    is_own = any(plugin.is_first_party for plugin in CATALOG.plugins() if plugin.name == owner)
    return spec.name if is_own else f"{owner}:{spec.name}"


def bind_options(name: str, options: Mapping[str, Any]) -> Config:
    """Return the complete options of an encoder: its defaults, and `options` over them.

    Raises:
        ConfigError: An option it does not take, or a value of another type.
    """
    for key in options:
        if key in MODEL_PARAMETERS:
            raise ConfigError(f"{key} of an encoder is its model's; set it there and not among the options")
    complete = _bind_config(find_encoder_spec(name), 1, (1, 1), options)
    return {key: value for key, value in complete.items() if key not in MODEL_PARAMETERS}


def build_encoder(name: str, *, width: int, size: Size, options: Mapping[str, Any] | None = None) -> Module:
    """Build an encoder; its weights are drawn from the global random states.

    Args:
        name: A name on `zoo.encoders`, or `plugin:name`.
        width: Features of each node.
        size: Height and width of the grid.
        options: What else its builder takes.

    Raises:
        UnknownNameError: It is not installed.
        ConfigError: It does not take these options.
        PluginError: Its builder cannot be imported, or returns no module.
    """
    spec = find_encoder_spec(name)
    return instantiate(spec.build, f"encoder {spec.name}", _bind_config(spec, width, size, options or {}))


def _bind_config(spec: EncoderSpec, width: int, size: Size, options: Mapping[str, Any]) -> Config:
    builder = import_object(spec.build, f"encoder {spec.name}")
    return bind_builder_config(builder, f"encoder {spec.name}", {"width": width, "size": size}, options)
