"""Generators that an experiment draws with: one that ships, or one trained on its images and kept for later cells."""

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
"""Where generators are kept, below the working folder: one a model, recipe, seed and set of images."""


@dataclass(frozen=True, kw_only=True)
class CachedGenerator:
    """What draws the images of an arm.

    Args:
        model: A generator on `zoo.models`.
        trained: Reference of weights that ship, which were trained on the same images; none when left out.
        config: Options of the generator, beside size, channels and classes, which are those of the images.
        changes: Fields of its recipe to change.
    """

    model: str
    trained: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)

    def load_or_train(self, real: Images, *, seed: int, quick: bool) -> zoo.Model:
        """Return the generator: the trained one, the kept one, or one that is trained now and kept.

        It is trained on `real` alone, with a checkpoint an epoch: interrupted, it goes on from there.

        Args:
            real: What it has seen, or is to see.
            seed: Seed of its weights and order.
            quick: Train one epoch only.

        Raises:
            ConfigError: The trained one was trained on other images.
        """
        if self.trained and not quick:
            return self._load_shipped(real)
        form: dict[str, Any] = {"size": real.size, "channels": real.channels, "classes": len(real.classes)}
        made = zoo.create(self.model, seed=seed, **form, **self.config)
        recipe = made.spec.recipe.replace(**self.changes)
        return train_or_load(made, recipe.replace(epochs=1) if quick else recipe, real)

    def _load_shipped(self, real: Images) -> zoo.Model:
        model = zoo.load(self.trained)
        if model.data != real.name:
            raise ConfigError(f"{self.trained} was trained on {model.data}, and {real.name} is to be drawn")
        return model.to(dtype="float32")  # it is stored as float16, which a CPU draws with eight times as slowly


def train_or_load(model: zoo.Model, recipe: Recipe, real: Images) -> zoo.Model:
    """Return a fresh model trained on images by a recipe: from `PLACE`, where it was trained before."""
    folder = CACHE_FOLDER / f"{model.spec.name}-{make_cache_key(model, recipe, real)}"
    if (folder / CONFIG).is_file():
        return zoo.load(folder)
    model.fit(real, recipe=recipe, progress=False, checkpoint=folder, resume="auto")
    model.save(folder)
    CheckpointStore(folder).clear()
    return model


def make_cache_key(model: zoo.Model, recipe: Recipe, real: Images) -> str:
    """Return a hash of all that decides what a training comes to."""
    told = [model.spec.name, model.seed, model.config, recipe.to_json(), real.fingerprint()]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


DEFAULT_GENERATORS = {
    "mnist": CachedGenerator(model="attention-gan-28x28", trained="attention-gan-28x28/mnist"),
    "cifar10-jpeg": CachedGenerator(model="attention-gan-32x32"),
}
"""What draws where all training images are known, by data set."""


def get_default_generator(name: str) -> CachedGenerator:
    """Return what draws images of a data set.

    Raises:
        ConfigError: There is no generator for it.
    """
    if name not in DEFAULT_GENERATORS:
        raise ConfigError(
            f"no generator is named for {name or 'a set without a name'}; there is one for {', '.join(DEFAULT_GENERATORS)}"
        )
    return DEFAULT_GENERATORS[name]
