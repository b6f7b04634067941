"""Find the installed model that a manifest names, and bind its saved config."""

from __future__ import annotations

import math
from collections.abc import Iterator

from zoo.errors import ConfigError, PluginError, UnknownNameError, WeightsError
from zoo.factory.adapt import IOShape
from zoo.factory.build import Config, bind_config
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import Plugin
from zoo.plugins.spec import ModelSpec
from zoo.saving.manifest import Manifest
from zoo.signature import Preprocessing

MAX_UNCHECKED_SIZE = 16_384
"""Largest whole number in a saved config that is taken without asking how many weights were saved."""


def find_provider(manifest: Manifest) -> tuple[ModelSpec, str]:
    """Return the model of the installed distribution a manifest names, and its plugin; never a namesake.

    Raises:
        UnknownNameError: It is not installed; the message says what to install.
    """
    origin = manifest.origin
    for plugin in CATALOG.plugins():
        spec = _find_offered_spec(plugin, manifest.model) if plugin.distribution == origin.distribution else None
        if spec is not None:
            return spec, plugin.name
    raise UnknownNameError(
        f"no installed plugin provides {manifest.model!r}; it was saved with plugin {origin.plugin} of "
        f"{origin.distribution} {origin.version}: pip install {origin.distribution}"
    )


def _find_offered_spec(plugin: Plugin, name: str) -> ModelSpec | None:
    """Return a plugin's model of that name, or the one that a source of it answers with."""
    prefix, colon, rest = name.partition(":")
    if not colon:
        return next((spec for spec in plugin.offers_of("models") if spec.name == name), None)
    return next((source.get_spec(rest) for source in plugin.offers_of("sources") if source.name == prefix), None)


def bind_saved_config(spec: ModelSpec, manifest: Manifest) -> Config:
    """Return a manifest's config, if the model of today still takes it.

    Raises:
        WeightsError: It does not, or classes or preprocessing contradict it.
    """
    try:
        config = bind_config(spec, manifest.config)
    except (ConfigError, PluginError) as error:
        raise WeightsError(f"the config saved with {manifest.model} cannot be used: {error}") from error
    form, wants = get_io_shape(spec, config), manifest.preprocessing
    if len(manifest.classes) != form.num_classes:
        raise WeightsError(f"{manifest.model} was saved with {len(manifest.classes)} classes, its config has {form}")
    if (wants.size, wants.channels) != (form.size, form.channels):
        raise WeightsError(f"the preprocessing saved with {manifest.model} is for other images than its config: {form}")
    return config


def check_config_size(manifest: Manifest) -> None:
    """Raise if a saved config has a number far above how many were saved: such a net would take all memory to make.

    Raises:
        WeightsError: It has; a width, a depth or a side of an image is never more than the weights it needs.
    """
    saved = sum(math.prod(entry["shape"]) for entry in manifest.tensors.values())
    largest = max((number for value in manifest.config.values() for number in _iter_integers(value)), default=0)
    if largest > max(saved, MAX_UNCHECKED_SIZE):
        raise WeightsError(
            f"the config saved with {manifest.model} says {largest:,}, and {saved:,} numbers were saved with it"
        )


def _iter_integers(value: object) -> Iterator[int]:
    if isinstance(value, tuple):
        for each in value:
            yield from _iter_integers(each)
    elif isinstance(value, int):
        yield value


def default_preprocessing(spec: ModelSpec, config: Config) -> Preprocessing:
    """Return what a fresh model expects of images."""
    shape, info = get_io_shape(spec, config), spec.task_info
    return Preprocessing(
        size=shape.size, channels=shape.channels, mean=(info.mean,), std=(info.std,), resize=spec.resize
    )


def get_io_shape(spec: ModelSpec, config: Config) -> IOShape:
    """Return what the shapes of a net's tensors depend on."""
    size, channels = config.get("size", spec.size), config.get("channels", spec.channels)
    return IOShape(size=size, channels=channels, num_classes=config.get("classes", 10))
