"""Provide the generators of an experiment: weights that ship with zoo, or a training that later cells reuse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zoo
from zoo.data import Images
from zoo.errors import ConfigError
from zoo.recipe import Recipe
from zoo.saving.folder import CONFIG
from zoo.training.checkpoint.store import CheckpointStore

CACHE_FOLDER = Path("runs/generators")
"""Where trained generators are saved, in the working folder: one per model, recipe, seed and set of images."""


@dataclass(frozen=True, kw_only=True)
class CachedGenerator:
    """A generator that is loaded if it was trained before, and trained and saved if not.

    Args:
        model: A generator in `zoo.models`.
        trained: Reference of shipped weights that were trained on the same images; empty if there are none.
        config: Options of the generator, in addition to size, channels and classes, which are those of the images.
        changes: Fields of its recipe to replace.
    """

    model: str
    trained: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)

    def load_or_train(self, real: Images, *, seed: int, quick: bool) -> zoo.Model:
        """Return the generator: the shipped one, the saved one, or one that is trained now and saved.

        It is trained on `real` only, with a checkpoint after each epoch, from which an interrupted training continues.

        Args:
            real: Its training images.
            seed: Seed of its weights and of the order of the images.
            quick: Train for one epoch only.

        Raises:
            ConfigError: The shipped one was trained on other images.
        """
        if self.trained and not quick:
            return self._load_shipped(real)
        shape: dict[str, Any] = {"size": real.size, "channels": real.channels, "classes": len(real.classes)}
        model = zoo.create(self.model, seed=seed, **shape, **self.config)
        recipe = model.spec.recipe.replace(**self.changes)
        return train_or_load(model, recipe.replace(epochs=1) if quick else recipe, real)

    def _load_shipped(self, real: Images) -> zoo.Model:
        model = zoo.load(self.trained)
        if model.data != real.name:
            raise ConfigError(
                f"{self.trained} was trained on {model.data}, not on {real.name}; choose another generator"
            )
        return model.to(dtype="float32")  # its float16 is eight times as slow on a CPU


def train_or_load(model: zoo.Model, recipe: Recipe, real: Images) -> zoo.Model:
    """Return a fresh model trained on images with a recipe, or the one that an earlier training saved."""
    folder = CACHE_FOLDER / f"{model.spec.name}-{make_cache_key(model, recipe, real)}"
    if (folder / CONFIG).is_file():
        return zoo.load(folder)
    model.fit(real, recipe=recipe, progress=False, checkpoint=folder, resume="auto")
    model.save(folder)
    CheckpointStore(folder).clear()
    return model


def make_cache_key(model: zoo.Model, recipe: Recipe, real: Images) -> str:
    """Return a hash of everything that determines the result of a training."""
    parts = [model.spec.name, model.seed, model.config, recipe.to_json(), real.fingerprint()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


DEFAULT_GENERATORS = {
    "mnist": CachedGenerator(model="attention-gan-28x28", trained="attention-gan-28x28/mnist"),
    "cifar10-jpeg": CachedGenerator(model="attention-gan-32x32"),
}
"""The generators that were trained on all training images, by data set."""


def get_default_generator(name: str) -> CachedGenerator:
    """Return the default generator of a data set.

    Raises:
        ConfigError: There is no generator for it.
    """
    if name not in DEFAULT_GENERATORS:
        subject, names = name or "a data set without a name", ", ".join(DEFAULT_GENERATORS)
        raise ConfigError(f"there is no default generator for {subject}; there is one for {names}")
    return DEFAULT_GENERATORS[name]
