"""Build the task of a training from its recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zoo.data import ExternalLoader, Loader
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing
from zoo.task_info import CLASSIFICATION, GENERATION
from zoo.tasks.base import Task
from zoo.tasks.classification import build_classification
from zoo.tasks.generation import build_generation

Builder = Callable[[Recipe, Preprocessing, Classes, Loader | ExternalLoader], Task]
BUILDERS: Mapping[str, Builder] = {
    CLASSIFICATION.name: build_classification,
    GENERATION.name: lambda recipe, preprocessing, _classes, _train: build_generation(recipe, preprocessing),
}
"""How each task is built for a training, by its name."""


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

    Raises:
        ConfigError: The recipe has a setting that the task does not support.
    """
    return BUILDERS[task](recipe, preprocessing, classes, train)
