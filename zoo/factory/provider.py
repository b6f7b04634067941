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
"""Largest whole number in a saved config that is accepted without comparing it with the number of weights."""


def find_provider(manifest: Manifest) -> tuple[ModelSpec, str]:
    """Return the model that a manifest names, and its plugin.

    Only plugins of the distribution that the manifest names are searched: another distribution's model of the same name
    may be another net.

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
    """Return a plugin's model with a name, or for `source:name` the one that its source returns."""
    prefix, colon, rest = name.partition(":")
    if not colon:
        return next((spec for spec in plugin.offers_of("models") if spec.name == name), None)
    return next((source.get_spec(rest) for source in plugin.offers_of("sources") if source.name == prefix), None)


def bind_saved_config(spec: ModelSpec, manifest: Manifest) -> Config:
    """Return the config of a manifest, checked against the installed model.

    Raises:
        WeightsError: The model does not take it, or the saved classes or preprocessing contradict it.
    """
    try:
        config = bind_config(spec, manifest.config)
    except (ConfigError, PluginError) as error:
        raise WeightsError(f"the config saved with {manifest.model} cannot be used: {error}") from error
    shape, preprocessing = get_io_shape(spec, config), manifest.preprocessing
    if len(manifest.classes) != shape.num_classes:
        raise WeightsError(
            f"{manifest.model} was saved with {len(manifest.classes)} classes, its config has {shape.num_classes}"
        )
    if (preprocessing.size, preprocessing.channels) != (shape.size, shape.channels):
        raise WeightsError(
            f"the preprocessing saved with {manifest.model} has size {preprocessing.size} and "
            f"{preprocessing.channels} channels, its config has size {shape.size} and {shape.channels} channels"
        )
    return config


def check_config_size(manifest: Manifest) -> None:
    """Raise if a saved config has a number far larger than the number of saved weights.

    A width, a depth or the side of an image is never larger than the number of weights it leads to. Without this check,
    building the net of a damaged or hostile config could take all memory.

    Raises:
        WeightsError: The config has such a number.
    """
    num_saved = sum(math.prod(entry["shape"]) for entry in manifest.tensors.values())
    largest = max((number for value in manifest.config.values() for number in _iter_integers(value)), default=0)
    if largest > max(num_saved, MAX_UNCHECKED_SIZE):
        raise WeightsError(
            f"the config saved with {manifest.model} has the number {largest:,}, but only {num_saved:,} weights"
        )


def _iter_integers(value: object) -> Iterator[int]:
    """Yield the whole numbers in nested tuples."""
    if isinstance(value, tuple):
        for each in value:
            yield from _iter_integers(each)
    elif isinstance(value, int):
        yield value


def default_preprocessing(spec: ModelSpec, config: Config) -> Preprocessing:
    """Return the preprocessing of a fresh model."""
    shape, info = get_io_shape(spec, config), spec.task_info
    return Preprocessing(
        size=shape.size, channels=shape.channels, mean=(info.mean,), std=(info.std,), resize=spec.resize
    )


def get_io_shape(spec: ModelSpec, config: Config) -> IOShape:
    """Return image size, channels and classes of a complete config."""
    size, channels = config.get("size", spec.size), config.get("channels", spec.channels)
    return IOShape(size=size, channels=channels, num_classes=config.get("classes", 10))
