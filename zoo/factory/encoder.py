"""Build a graph encoder by name, and complete its options."""

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
"""Parameters of an encoder that its model sets; the other parameters are its options."""


def find_encoder_spec(name: str) -> EncoderSpec:
    """Return the encoder with a name in `zoo.encoders`, or `plugin:name`.

    Raises:
        UnknownNameError: It is not installed; the message names its plugin if the name does.
        AmbiguousNameError: Several plugins offer it.
    """
    registry = CATALOG.registry("encoders")
    try:
        spec: EncoderSpec = registry[name]
    except UnknownNameError as error:
        raise UnknownNameError(_missing_message(name, error)) from error
    return spec


def _missing_message(name: str, error: UnknownNameError) -> str:
    owner, _, encoder = name.rpartition(":")
    if not owner:
        return f"{error}; encoders come with plugins, which zoo plugins lists"
    plugin = next((each for each in CATALOG.plugins() if each.name == owner), None)
    if plugin is None:
        package = owner.partition("@")[2] or owner.replace("_", "-")  # as `zoo plugins new` names them
        message = f"the encoder {encoder!r} is missing: it comes with plugin {owner}, which is not installed"
        return f"{message}: pip install {package}"
    if plugin.status == "ready":
        return f"the encoder {encoder!r} is missing: {owner} {plugin.version} does not offer it"
    reason = "turned off by ZOO_PLUGINS" if plugin.status == "off" else f"quarantined: {plugin.reason}"
    return f"the encoder {encoder!r} is missing: its plugin {owner} is {reason}"


def qualify_name(name: str) -> str:
    """Return a name that stays unambiguous whatever is installed later: `plugin:name`, or `name` for zoo's own."""
    spec, registry = find_encoder_spec(name), CATALOG.registry("encoders")
    owner = registry.owner(name)
    is_first_party = any(plugin.is_first_party for plugin in CATALOG.plugins() if plugin.name == owner)
    return spec.name if is_first_party else f"{owner}:{spec.name}"


def bind_options(name: str, options: Mapping[str, Any]) -> Config:
    """Return the complete options of an encoder: `options` over its defaults.

    Raises:
        ConfigError: An option that it does not take, or a value of the wrong type.
    """
    for key in options:
        if key in MODEL_PARAMETERS:
            raise ConfigError(f"{key} is an option of the model, not of the encoder; set it there")
    complete = _bind_config(find_encoder_spec(name), 1, (1, 1), options)
    return {key: value for key, value in complete.items() if key not in MODEL_PARAMETERS}


def build_encoder(name: str, *, width: int, size: Size, options: Mapping[str, Any] | None = None) -> Module:
    """Build an encoder; its weights come from the global random states.

    Args:
        name: A name in `zoo.encoders`, or `plugin:name`.
        width: Features per node.
        size: Height and width of the grid.
        options: Other parameters of its builder.

    Raises:
        UnknownNameError: It is not installed.
        ConfigError: It does not take these options.
        PluginError: Its builder cannot be imported, or does not return a module.
    """
    spec = find_encoder_spec(name)
    return instantiate(spec.build, f"encoder {spec.name}", _bind_config(spec, width, size, options or {}))


def _bind_config(spec: EncoderSpec, width: int, size: Size, options: Mapping[str, Any]) -> Config:
    builder = import_object(spec.build, f"encoder {spec.name}")
    return bind_builder_config(builder, f"encoder {spec.name}", {"width": width, "size": size}, options)
