"""Measure how much a saved model's outputs change when it is adapted to another number of channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import Module

from zoo.data.transforms import Normalize
from zoo.factory.adapt import adapt_preprocessing, adapt_state_dict
from zoo.factory.build import Config, build_net
from zoo.factory.net_state import cast_net, load_state
from zoo.factory.provider import get_io_shape
from zoo.inference.golden import make_golden_images, make_golden_inputs
from zoo.inference.runner import run_batches
from zoo.plugins.spec import ModelSpec
from zoo.saving.artifact import Artifact
from zoo.tasks import Classification


def measure_channel_change(artifact: Artifact, spec: ModelSpec, config: Config, channels: int) -> float | None:
    """Return how much the outputs of a saved model change when it is adapted to `channels` channels.

    The saved net and the adapted one run on images that show the same: those with more channels repeat the channels of
    the others in turn.

    Args:
        artifact: The saved model.
        spec: Its spec.
        config: Its complete config.
        channels: The new number of channels.

    Returns:
        For a classifier the largest change of a logit, as a fraction of the largest logit; for a generator the largest
        change of a level in [-1, 1]. None if the artifact lacks a tensor of its own net.
    """
    adapted_config = {**config, "channels": channels}
    source_net, target_net = (
        cast_net(build_net(spec, each, 0), artifact.manifest) for each in (config, adapted_config)
    )
    if not _has_same_tensors(artifact.state, source_net):
        return None
    state, _ = adapt_state_dict(
        artifact.state,
        target_net.state_dict(),
        source_shape=get_io_shape(spec, config),
        target_shape=get_io_shape(spec, adapted_config),
        std=artifact.manifest.preprocessing.std,
        output_prefix=spec.task_info.image_prefix,
        name=spec.name,
    )
    load_state(source_net, artifact.state)
    load_state(target_net, state)
    if spec.task_info.is_generative:
        return _measure_image_change(source_net, target_net, artifact)
    return _measure_logit_change(source_net, target_net, artifact, channels)


def _measure_logit_change(source_net: Module, target_net: Module, artifact: Artifact, channels: int) -> float:
    """Return the largest change of a logit, as a fraction of the largest logit."""
    before = artifact.manifest.preprocessing
    after = adapt_preprocessing(before, replace(before, channels=channels, mean=(0.0,), std=(1.0,)))
    fewer, more = sorted((before.channels, channels))
    images = make_golden_images(replace(before, channels=fewer, mean=(0.0,), std=(1.0,)))
    inputs = {fewer: images, more: images[:, torch.arange(more) % fewer]}
    expected = run_batches(source_net, Classification(Normalize(before)), inputs[before.channels])
    actual = run_batches(target_net, Classification(Normalize(after)), inputs[channels])
    return float((actual - expected).abs().max() / expected.abs().max().clamp_min(1e-12))


def _measure_image_change(source_net: Module, target_net: Module, artifact: Artifact) -> float:
    """Return the largest change of a generated level, in [-1, 1].

    Each channel is compared with the channel of the other net that it repeats. With fewer channels, it is compared with
    the mean of the channels before the last tanh: a generator of coloured images then shows how much colour is lost.
    """
    manifest = artifact.manifest
    samples: list[Tensor] = []
    with torch.no_grad():
        for net in (source_net.eval(), target_net.eval()):
            codes = make_golden_inputs(net, manifest.preprocessing, manifest.task)
            samples.append(net(codes.to(next(net.parameters()).dtype)).float())
    fewer, more = sorted(samples, key=lambda images: images.shape[1])
    return float((more - fewer[:, torch.arange(more.shape[1]) % fewer.shape[1]]).abs().max())


def _has_same_tensors(state: Mapping[str, Tensor], net: Module) -> bool:
    """Return whether a state has exactly the tensors of a net, each in its shape and dtype."""
    saved_layout, net_layout = (
        {key: (tensor.shape, tensor.dtype) for key, tensor in tensors.items()} for tensors in (state, net.state_dict())
    )
    return saved_layout == net_layout
