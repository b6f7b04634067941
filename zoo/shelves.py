"""The shelves: those that plugins fill, and the trained weights that ship with zoo. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.plugins.catalog import CATALOGUE
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.registry import Registry
from zoo.plugins.source import Source
from zoo.plugins.spec import CallbackSpec, DatasetSpec, EncoderSpec, ModelSpec

if TYPE_CHECKING:
    from zoo.saving.bundled import Trained


def _trained() -> tuple[tuple[str, Trained], ...]:
    """Return the trained weights; what reads them is imported at the first look, not with the other shelves."""
    from zoo.saving.bundled import offers

    return offers()


models: Registry[ModelSpec] = CATALOGUE.shelf("models")
encoders: Registry[EncoderSpec] = CATALOGUE.shelf("encoders")
datasets: Registry[DatasetSpec] = CATALOGUE.shelf("datasets")
experiments: Registry[Experiment] = CATALOGUE.shelf("experiments")
sources: Registry[Source] = CATALOGUE.shelf("sources")
trained: Registry[Trained] = Registry("trained model", _trained)

callbacks: Registry[CallbackSpec] = CATALOGUE.shelf("callbacks")

SHELVES: dict[str, Registry[Any]] = {
    "models": models,
    "encoders": encoders,
    "datasets": datasets,
    "experiments": experiments,
    "sources": sources,
    "callbacks": callbacks,
    "trained": trained,
}
