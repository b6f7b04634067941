"""From a saved model's tensors to those of a net: strict, or adapted where the net was made for something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data.transforms import Normalize
from zoo.errors import WeightsError
from zoo.factory.adapt import IOShape, LoadReport, adapt_preprocessing, adapt_state_dict
from zoo.factory.build import Config, build_net
from zoo.factory.net_state import cast_net, load_state
from zoo.factory.provider import bind_saved_config, find_provider, get_io_shape
from zoo.inference.golden import make_golden_images, make_golden_inputs
from zoo.inference.runner import run_batches
from zoo.plugins.spec import ModelSpec
from zoo.saving.artifact import Artifact
from zoo.signature import Preprocessing
from zoo.task_info import GENERATION
from zoo.tasks import Classification


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
        output_prefix=spec.task_info.image_prefix,
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
    if spec.task_info.is_generative:
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
        output_prefix=GENERATION.image_prefix,
        name="",
    )
    load_state(source_net, artifact.state)
    load_state(target_net, state)
    drawn: list[Tensor] = []
    with torch.no_grad():
        for net in (source_net.eval(), target_net.eval()):
            drawn.append(net(make_golden_inputs(net, artifact.manifest.preprocessing, GENERATION.name)).float())
    few, many = sorted(drawn, key=lambda images: images.shape[1])
    return float((many - few[:, torch.arange(many.shape[1]) % few.shape[1]]).abs().max())


def _has_same_tensors(state: Mapping[str, Tensor], net: Module) -> bool:
    """Return whether there is just what a net has: each tensor, in its shape and type."""
    given, own = ({key: (each.shape, each.dtype) for key, each in every.items()} for every in (state, net.state_dict()))
    return given == own
