"""The shelves: those that plugins fill, and the trained weights that ship with zoo. No torch here."""

from __future__ import annotations

from typing import Any

from zoo import shipped
from zoo.plugins import CATALOGUE
from zoo.registry import Registry
from zoo.spec import DatasetSpec, EncoderSpec, Experiment, ModelSpec

models: Registry[ModelSpec] = CATALOGUE.shelf("models")
encoders: Registry[EncoderSpec] = CATALOGUE.shelf("encoders")
datasets: Registry[DatasetSpec] = CATALOGUE.shelf("datasets")
experiments: Registry[Experiment] = CATALOGUE.shelf("experiments")
trained: Registry[shipped.Trained] = shipped.trained()

SHELVES: dict[str, Registry[Any]] = {
    "models": models,
    "encoders": encoders,
    "datasets": datasets,
    "experiments": experiments,
    "trained": trained,
}
