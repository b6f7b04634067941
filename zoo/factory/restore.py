"""Adapt a saved model's tensors to a net that may have other classes or channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor
from torch.nn import Module

from zoo.errors import WeightsError
from zoo.factory.adapt import LoadReport, adapt_preprocessing, adapt_state_dict
from zoo.factory.build import Config
from zoo.factory.channel_change import measure_channel_change
from zoo.factory.provider import bind_saved_config, find_provider, get_io_shape
from zoo.plugins.spec import ModelSpec
from zoo.saving.artifact import Artifact
from zoo.signature import Preprocessing


@dataclass(frozen=True, kw_only=True)
class AdaptedWeights:
    """Tensors for a net, the preprocessing they were trained with, and what happened to each."""

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
    """Return the tensors of a saved model, adapted to a net; the net does not change.

    Args:
        artifact: The saved model.
        net: The net that will get the tensors.
        spec: What the net was built from.
        config: Its complete config.
        preprocessing: Its preprocessing.
        partial: Keep the net's tensors where the saved ones do not fit, instead of raising.
        name: The saved model, for messages.

    Raises:
        WeightsError: The saved model is another kind of model, or its tensors do not fit and `partial` is off.
    """
    saved_spec, _ = find_provider(artifact.manifest)
    if saved_spec.build != spec.build:
        raise WeightsError(f"{name} is a {saved_spec.name}, which is another net than {spec.name}")
    saved_config = bind_saved_config(saved_spec, artifact.manifest)
    target_shape = get_io_shape(spec, config)
    state, report = adapt_state_dict(
        artifact.state,
        net.state_dict(),
        source_shape=get_io_shape(saved_spec, saved_config),
        target_shape=target_shape,
        std=artifact.manifest.preprocessing.std,
        output_prefix=spec.task_info.image_prefix,
        partial=partial,
        name=name,
    )
    if report.adapted:
        difference = measure_channel_change(artifact, saved_spec, saved_config, target_shape.channels)
        report = replace(report, difference=difference)
    return AdaptedWeights(
        state=state, preprocessing=adapt_preprocessing(artifact.manifest.preprocessing, preprocessing), report=report
    )
