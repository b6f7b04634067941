"""Provide the registries: those that plugins fill, and the trained weights that ship with zoo. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.plugins.catalog import CATALOG
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.registry import Registry
from zoo.plugins.source import Source
from zoo.plugins.spec import CallbackSpec, DatasetSpec, EncoderSpec, ModelSpec

if TYPE_CHECKING:
    from zoo.saving.bundled import TrainedWeights


def _load_trained() -> tuple[tuple[str, TrainedWeights], ...]:
    """Return the trained weights that ship with zoo.

    The module that reads them is imported when this registry is first read, since the others do not need it.
    """
    from zoo.saving.bundled import list_trained

    return list_trained()


models: Registry[ModelSpec] = CATALOG.registry("models")
encoders: Registry[EncoderSpec] = CATALOG.registry("encoders")
datasets: Registry[DatasetSpec] = CATALOG.registry("datasets")
experiments: Registry[Experiment] = CATALOG.registry("experiments")
sources: Registry[Source] = CATALOG.registry("sources")
trained: Registry[TrainedWeights] = Registry("trained model", _load_trained)

callbacks: Registry[CallbackSpec] = CATALOG.registry("callbacks")

REGISTRIES: dict[str, Registry[Any]] = {
    "models": models,
    "encoders": encoders,
    "datasets": datasets,
    "experiments": experiments,
    "sources": sources,
    "callbacks": callbacks,
    "trained": trained,
}
