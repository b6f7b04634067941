"""From a saved model's tensors to those of a net: strict, or adapted where the net was made for something else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data.transforms import Normalize
from zoo.errors import ConfigError, PluginError, UnknownNameError, WeightsError
from zoo.factory.adapt import IOShape, LoadReport, adapt_preprocessing, adapt_state_dict
from zoo.factory.build import Config, bind_config, build_net
from zoo.inference.golden import make_golden_images, make_golden_inputs
from zoo.inference.runner import run_batches
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import Plugin
from zoo.plugins.spec import ModelSpec
from zoo.saving.artifact import Artifact
from zoo.saving.manifest import Manifest
from zoo.signature import Preprocessing
from zoo.tasks import Classification

MAX_UNCHECKED_SIZE = 16_384
"""Largest whole number in a saved config that is taken without asking how many weights were saved."""
DTYPES = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


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
    return next((source.spec(rest) for source in plugin.offers_of("sources") if source.name == prefix), None)


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


NORMALIZATIONS = {"classification": (0.0, 1.0), "generation": (0.5, 0.5)}
"""Mean and std that a fresh model of a task begins with: images in [0, 1], or in [-1, 1] for a generator's tanh."""


IMAGE_PREFIXES = {"classification": "", "generation": "generator."}
"""Prefix of the tensors that make images, by task."""


def default_preprocessing(spec: ModelSpec, config: Config) -> Preprocessing:
    """Return what a fresh model expects of images."""
    form, (mean, std) = get_io_shape(spec, config), NORMALIZATIONS[spec.task]
    return Preprocessing(size=form.size, channels=form.channels, mean=(mean,), std=(std,), resize=spec.resize)


def get_io_shape(spec: ModelSpec, config: Config) -> IOShape:
    """Return what the shapes of a net's tensors depend on."""
    size, channels = config.get("size", spec.size), config.get("channels", spec.channels)
    return IOShape(size=size, channels=channels, num_classes=config.get("classes", 10))


def cast_net(net: Module, manifest: Manifest) -> Module:
    """Return the net with the number types its tensors were saved in.

    Raises:
        WeightsError: It was saved in a type that zoo does not load.
    """
    if manifest.dtype not in (*DTYPES, "mixed"):
        raise WeightsError(f"{manifest.model} was saved as {manifest.dtype!r}; zoo loads {', '.join(DTYPES)}")
    if manifest.dtype != "mixed":
        return net if manifest.dtype == get_dtype_name(net) else net.to(DTYPES[manifest.dtype])
    for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
        kind = DTYPES.get(manifest.tensors.get(name, {}).get("dtype", ""))
        if kind is not None and tensor.is_floating_point():
            tensor.data = tensor.data.to(kind)
    return net


def load_state(net: Module, state: Mapping[str, Tensor]) -> Module:
    """Give a net these tensors, with the versions of its layers that some torchvision nets ask for when loading."""
    whole = net.state_dict()
    whole.update(state)
    net.load_state_dict(whole)
    return net


def recompute_buffers(net: Module, fresh_net: Module) -> Module:
    """Give a net the buffers that are computed and not stored as they are in a fresh one, in its own number types."""
    stored, made = net.state_dict().keys(), dict(fresh_net.named_buffers())
    for name, buffer in net.named_buffers():
        if name not in stored and name in made:
            buffer.data = made[name].to(buffer)
    return net


def get_dtype_name(net: Module) -> str:
    """Return the type of a net's weights and stored buffers, such as `float32`; `mixed` where they have several."""
    stored = [each for each in net.state_dict().values() if isinstance(each, Tensor) and each.is_floating_point()]
    kinds = {str(each.dtype).removeprefix("torch.") for each in stored}
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "float32"


def resolve_dtype(dtype: torch.dtype | str) -> torch.dtype:
    """Return a number type of weights by its name.

    Raises:
        ConfigError: zoo does not save models of that type.
    """
    name = str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise ConfigError(f"weights are {', '.join(DTYPES)}, not {name}")
    return DTYPES[name]


@dataclass(frozen=True, kw_only=True)
class AdaptedWeights:
    """Tensors for a net, the preprocessing they were trained with, and what became of each."""

    state: Mapping[str, Tensor]
    preprocessing: Preprocessing
    report: LoadReport


def adapt_artifact(
    artifact: Artifact,
    net: Module,
    *,
    spec: ModelSpec,
    config: Config,
    preprocessing: Preprocessing,
    partial: bool = False,
    name: str,
) -> AdaptedWeights:
    """Return what a net takes from a saved model; the net itself is not touched.

    Raises:
        WeightsError: The saved model is another kind of model, or its tensors do not fit and `partial` is off.
    """
    saved_spec, _ = find_provider(artifact.manifest)
    if saved_spec.build != spec.build:
        raise WeightsError(f"{name} holds a {saved_spec.name}, which is another net than {spec.name}")
    saved = bind_saved_config(saved_spec, artifact.manifest)
    source, target = get_io_shape(saved_spec, saved), get_io_shape(spec, config)
    std = artifact.manifest.preprocessing.std
    state, report = adapt_state_dict(
        artifact.state,
        net.state_dict(),
        source_shape=source,
        target_shape=target,
        std=std,
        output_prefix=IMAGE_PREFIXES[spec.task],
        partial=partial,
        name=name,
    )
    if report.adapted:
        report = replace(report, difference=_measure_logit_change(artifact, saved_spec, saved, target.channels))
    return AdaptedWeights(
        state=state, preprocessing=adapt_preprocessing(artifact.manifest.preprocessing, preprocessing), report=report
    )


def _measure_logit_change(artifact: Artifact, spec: ModelSpec, config: Config, channels: int) -> float | None:
    """Return how much logits change when a saved model is spread to other channels, as a share of the largest.

    Both nets see images which show the same: those with more channels repeat the others' in turn. None where the saved
    model lacks a tensor of its own net, so that it has no logits.
    """
    wider = {**config, "channels": channels}
    one, other = (cast_net(build_net(spec, each, 0), artifact.manifest) for each in (config, wider))
    if not _has_same_tensors(artifact.state, one):
        return None
    if spec.task == "generation":
        return _measure_image_change(one, other, artifact, get_io_shape(spec, config), get_io_shape(spec, wider))
    before = artifact.manifest.preprocessing
    after = adapt_preprocessing(before, replace(before, channels=channels, mean=(0.0,), std=(1.0,)))
    few, many = sorted((before.channels, channels))
    small = make_golden_images(replace(before, channels=few, mean=(0.0,), std=(1.0,)))
    shown = {few: small, many: small[:, torch.arange(many) % few]}
    state, _ = adapt_state_dict(
        artifact.state,
        other.state_dict(),
        source_shape=get_io_shape(spec, config),
        target_shape=get_io_shape(spec, wider),
        std=before.std,
        name=spec.name,
    )
    load_state(one, artifact.state)
    load_state(other, state)
    expected = run_batches(one, Classification(Normalize(before)), shown[before.channels])
    found = run_batches(other, Classification(Normalize(after)), shown[channels])
    return float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-12))


def _measure_image_change(
    source_net: Module, target_net: Module, artifact: Artifact, source_shape: IOShape, target_shape: IOShape
) -> float:
    """Return how much drawn levels, in [-1, 1], change where a generator is spread to other channels.

    The channels of one net are compared with those of the other that they stand for; with fewer channels, with their
    mean before the last tanh, so that a generator of unlike channels shows how much colour is lost.
    """
    state, _ = adapt_state_dict(
        artifact.state,
        target_net.state_dict(),
        source_shape=source_shape,
        target_shape=target_shape,
        output_prefix=IMAGE_PREFIXES["generation"],
        name="",
    )
    load_state(source_net, artifact.state)
    load_state(target_net, state)
    drawn: list[Tensor] = []
    with torch.no_grad():
        for net in (source_net.eval(), target_net.eval()):
            drawn.append(net(make_golden_inputs(net, artifact.manifest.preprocessing, "generation")).float())
    few, many = sorted(drawn, key=lambda images: images.shape[1])
    return float((many - few[:, torch.arange(many.shape[1]) % few.shape[1]]).abs().max())


def _has_same_tensors(state: Mapping[str, Tensor], net: Module) -> bool:
    """Return whether there is just what a net has: each tensor, in its shape and type."""
    given, own = ({key: (each.shape, each.dtype) for key, each in every.items()} for every in (state, net.state_dict()))
    return given == own
