"""Build the task of a training from its recipe."""

from __future__ import annotations

import torch

from zoo.data import ExternalLoader, Loader
from zoo.data.transforms import Normalize
from zoo.errors import ConfigError
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing
from zoo.tasks.base import Task
from zoo.tasks.classification import Classification
from zoo.tasks.generation import build_generation


def build_task(
    task: str, recipe: Recipe, preprocessing: Preprocessing, classes: Classes, train: Loader | ExternalLoader
) -> Task:
    """Return the task that a recipe trains, with its normalisation, loss and class weights.

    Args:
        task: Name of the task.
        recipe: Settings of the training.
        preprocessing: Size, channels, mean and std of the images.
        classes: Classes of the model.
        train: Loader of the training images; `class_weights="balanced"` counts its labels.
    """
    if task == "generation":
        return build_generation(recipe, preprocessing)
    return Classification(
        Normalize(preprocessing),
        label_smoothing=recipe.label_smoothing,
        class_weights=compute_class_weights(recipe, classes, train),
    )


def compute_class_weights(recipe: Recipe, classes: Classes, train: Loader | ExternalLoader) -> torch.Tensor | None:
    """Return the loss weight of each class (K), or None for equal ones."""
    if recipe.class_weights is None:
        return None
    if recipe.class_weights == "balanced" and isinstance(train, Loader):
        counts = torch.bincount(train.images.labels.cpu(), minlength=len(classes)).float()
        return torch.where(counts > 0, counts.sum() / (counts.clamp_min(1) * (counts > 0).sum()), 0.0)
    weights = torch.tensor(recipe.class_weights, dtype=torch.float32)
    if len(weights) != len(classes):
        raise ConfigError(f"class_weights has {len(weights)} numbers for {len(classes)} classes")
    return weights
