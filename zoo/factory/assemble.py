"""Assemble what a `Model` is made of: a fresh net from a spec, a saved net from its files, weights from a reference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.nn import Module

from zoo.errors import PluginError, join_names
from zoo.factory.adapt import LoadReport, adapt_state_dict
from zoo.factory.build import Config, bind_config, build_net
from zoo.factory.net_state import cast_net, load_state, recompute_buffers
from zoo.factory.provider import (
    bind_saved_config,
    check_config_size,
    default_preprocessing,
    find_provider,
    get_io_shape,
)
from zoo.factory.restore import AdaptedWeights, adapt_artifact
from zoo.factory.third_party import read_third_party_weights
from zoo.hub.resolve import resolve_reference
from zoo.plugins.catalog import CATALOG
from zoo.plugins.spec import ModelSpec
from zoo.saving.artifact import Artifact, read_artifact
from zoo.saving.folder import read_model_files
from zoo.saving.manifest import Manifest, Origin
from zoo.seeding import check_seed
from zoo.signature import Preprocessing
from zoo.tasks import TASKS


class ModelParts(NamedTuple):
    """A net with what describes it.

    Args:
        spec: What the plugin offers.
        origin: The plugin that offers it.
        config: The complete config that the net was built with.
        net: The net, in eval mode.
        seed: The seed of its first weights.
        preprocessing: What a fresh net of that config expects of images.
    """

    spec: ModelSpec
    origin: Origin
    config: Config
    net: Module
    seed: int
    preprocessing: Preprocessing


def assemble_fresh(spec: ModelSpec, owner: str, config: Mapping[str, Any], seed: int) -> ModelParts:
    """Build a net with the weights of a seed.

    Args:
        spec: The model.
        owner: Name of the plugin that offers it.
        config: Options of the model.
        seed: Seed of the weights.

    Raises:
        PluginError: Its task is unknown here, or its builder fails.
        ConfigError: An option that the model does not take, or a value of the wrong type.
    """
    if spec.task not in TASKS:
        raise PluginError(f"{spec.name} learns {spec.task!r}; this zoo knows {join_names(TASKS)}, upgrade zoo-models")
    complete = bind_config(spec, config)
    return ModelParts(
        spec=spec,
        origin=find_origin(owner),
        config=complete,
        net=make_fresh_net(spec, complete, seed),
        seed=seed,
        preprocessing=default_preprocessing(spec, complete),
    )


def make_fresh_net(spec: ModelSpec, config: Config, seed: int) -> Module:
    """Build a net with the weights of a seed, in eval mode.

    Raises:
        ConfigError: `seed` is not a seed.
    """
    check_seed(seed)
    return build_net(spec, config, seed).eval()


def assemble_saved(artifact: Artifact, *, partial: bool, name: str) -> tuple[ModelParts, LoadReport]:
    """Build the net of a saved model and load its tensors.

    Args:
        artifact: The saved model.
        partial: Load the tensors that fit, and keep the seed's weights elsewhere.
        name: The reference, for messages.

    Raises:
        UnknownNameError: No installed plugin provides the model.
        WeightsError: The saved config cannot be used, or tensors do not fit.
    """
    manifest = artifact.manifest
    spec, owner = find_provider(manifest)
    config = bind_saved_config(spec, manifest)
    check_config_size(manifest)
    parts = assemble_fresh(spec, owner, config, manifest.seed)
    cast_net(parts.net, manifest)
    shape = get_io_shape(spec, parts.config)
    state, report = adapt_state_dict(
        artifact.state, parts.net.state_dict(), source_shape=shape, target_shape=shape, partial=partial, name=name
    )
    load_state(parts.net, state)
    return parts, report


def find_origin(owner: str) -> Origin:
    """Return name, distribution and version of an installed plugin."""
    plugin = next(plugin for plugin in CATALOG.plugins() if plugin.name == owner)
    return Origin(plugin=plugin.name, distribution=plugin.distribution, version=plugin.version)


def open_weights(
    spec: ModelSpec, origin: Origin, reference: str | Path, *, allow_nonfinite: bool
) -> tuple[Artifact, str]:
    """Read trained weights for a model, saved by zoo or by the library its net is from, and their lasting reference."""
    third_party = read_third_party_weights(spec, origin, reference, allow_nonfinite=allow_nonfinite)
    if third_party is not None:
        return third_party
    resolved = resolve_reference(reference)
    return read_artifact(resolved.folder, allow_nonfinite=allow_nonfinite), resolved.reference


def open_manifest(spec: ModelSpec, origin: Origin, reference: str | Path) -> tuple[str | Path, Manifest]:
    """Return the lasting reference of trained weights and their manifest, without reading zoo's tensors."""
    third_party = read_third_party_weights(spec, origin, reference, allow_nonfinite=True)
    if third_party is not None:
        return third_party[1], third_party[0].manifest
    resolved = resolve_reference(reference)
    return resolved.reference, read_model_files(resolved.folder).manifest


def load_adapted(
    artifact: Artifact,
    net: Module,
    *,
    spec: ModelSpec,
    config: Config,
    preprocessing: Preprocessing,
    partial: bool,
    name: str,
) -> AdaptedWeights:
    """Load the tensors of a saved model into a net that may have other classes or channels, all or none.

    Raises:
        WeightsError: The saved model is another kind of model, or its tensors do not fit and `partial` is off.
    """
    adapted = adapt_artifact(
        artifact, net, spec=spec, config=config, preprocessing=preprocessing, partial=partial, name=name
    )
    load_state(net, adapted.state)
    return adapted


def convert_dtype(net: Module, dtype: torch.dtype, fresh_net: Module) -> None:
    """Convert a net's weights to a dtype; buffers that are computed, not stored, are taken from a fresh net."""
    recompute_buffers(net.to(dtype), fresh_net)
