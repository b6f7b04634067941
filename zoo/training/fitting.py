"""What `Model.fit` is given, made ready for the trainer: sets at the model's size, loaders, task."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import torch

from zoo.data import ExternalLoader, Images, Loader, as_images
from zoo.data.augment import Augment
from zoo.data.inputs import resize_images_to_model, resize_to_model
from zoo.data.readers import is_restartable
from zoo.data.transforms import make_resize
from zoo.errors import ConfigError, LabelError
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing
from zoo.tasks import Task
from zoo.tasks.build import build_task

EVALUATION_BATCH_SIZE = 1024


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """What the trainer runs on, and what the model takes over from its data.

    Args:
        train: Where training batches come from.
        validation: Where held-out batches come from, or None.
        task: What is learnt.
        classes: The model's classes from now on.
        preprocessing: The model's preprocessing from now on.
        name: Name of the training images, if they have one.
    """

    train: Loader | ExternalLoader
    validation: Loader | ExternalLoader | None
    task: Task
    classes: Classes
    preprocessing: Preprocessing
    name: str


def prepare(
    data: Any,
    validation: Any,
    *,
    spec: ModelSpec,
    preprocessing: Preprocessing,
    classes: Classes,
    fresh: bool,
    standardize: bool,
    recipe: Recipe,
    seed: int,
    device: torch.device,
) -> PreparedData:
    """Make ready what `fit` was given; a fresh model adopts the classes of `data`, and its moments if asked."""
    held, name = as_validation(validation, preprocessing), ""
    if is_external_loader(data):
        check_external_loader(recipe, held)
        stream = as_external_loader(data)
        classes = adopt_classes(stream.classes or classes, len(classes), spec.name) if fresh else classes
        train: Loader | ExternalLoader = resize_loader_to_model(stream, preprocessing, classes, seed)
    else:
        whole = images = as_images(data, transform=make_resize(preprocessing.size, preprocessing.resize))
        classes, name = adopt_classes(whole.classes, len(classes), spec.name) if fresh else classes, whole.name
        if held is None and recipe.validation > 0:
            images, held = whole.split(recipe.validation, strategy=recipe.split, seed=seed)
        preprocessing = fit_normalization(preprocessing, images) if standardize else preprocessing
        source = data if isinstance(data, Loader) and images is whole else images
        train = make_train_loader(source, _without_augmentation(recipe, spec.task), seed, preprocessing, classes).to(
            device
        )
    task = build_task(spec.task, recipe, preprocessing, classes, train)
    scoring = make_validation_loader(held, preprocessing, classes, device, seed)
    return PreparedData(
        train=train, validation=scoring, task=task, classes=classes, preprocessing=preprocessing, name=name
    )


def _without_augmentation(recipe: Recipe, task: str) -> Recipe:
    """Return the recipe as the loader of training images takes it: a generator's task augments for itself."""
    return recipe.replace(augment=()) if task == "generation" else recipe


def is_external_loader(source: Any) -> bool:
    """Return whether a source keeps its own order and cannot be read whole."""
    return isinstance(source, ExternalLoader) or (not isinstance(source, Images | Loader) and is_restartable(source))


def as_external_loader(source: Any) -> ExternalLoader:
    """Return somebody else's loader as a `Stream`."""
    return source if isinstance(source, ExternalLoader) else ExternalLoader(source)


def adopt_classes(classes: Classes, num_classes: int, model_name: str) -> Classes:
    """Return the classes a fresh model of `num_classes` outputs takes from its first training set.

    Raises:
        LabelError: They are more or fewer, and not whole numbers below `num_classes`.
    """
    if len(classes) == num_classes:
        return classes
    numbered = Classes.numbered(num_classes)
    if set(classes.values) <= set(numbered.values):
        return numbered
    raise LabelError(
        f"these images have {len(classes)} classes and {model_name} was created with {num_classes}; "
        f"create it with classes={len(classes)}"
    )


def as_validation(validation: Any, preprocessing: Preprocessing) -> Images | ExternalLoader | None:
    """Return what `fit(validation=...)` was given as images or a stream."""
    if validation is None:
        return None
    if is_external_loader(validation):
        return as_external_loader(validation)
    return as_images(validation, transform=make_resize(preprocessing.size, preprocessing.resize))


def apply_loader_settings(data: Any, recipe: Recipe, explicit: Collection[str]) -> Recipe:
    """Return the recipe with what a loader decides itself; asking `fit` for something else is an error."""
    if not isinstance(data, Loader) and not is_external_loader(data):
        return recipe
    for name in ("batch_size", "shuffle"):
        if name in explicit:
            raise ConfigError(
                f"{name} is decided by the loader that fit was given; set it there, or give fit its images"
            )
    if not isinstance(data, Loader):
        return recipe
    if data.augment is not None and _make_augment(recipe, data.classes):
        raise ConfigError("both the loader and the recipe augment; leave augment, mixup and cutmix to one of them")
    return recipe.replace(batch_size=data.batch_size, shuffle=data.shuffle)


def _make_augment(recipe: Recipe, classes: Classes) -> Augment | None:
    augment = Augment(recipe.augment, mixup=recipe.mixup, cutmix=recipe.cutmix, num_classes=len(classes))
    return augment if augment else None


def make_train_loader(
    source: Images | Loader, recipe: Recipe, seed: int, preprocessing: Preprocessing, classes: Classes
) -> Loader:
    """Return the loader that draws from training images; a `Loader` keeps its seed, augmentation and `drop_last`."""
    images, augment = as_images(source), _make_augment(recipe, classes)
    own = source if isinstance(source, Loader) else Loader(images, seed=seed)
    return Loader(
        resize_images_to_model(images.with_classes(classes), preprocessing),
        batch_size=recipe.batch_size,
        shuffle=recipe.shuffle,
        seed=own.seed,
        augment=own.augment or augment,
        drop_last=own.drop_last,
    )


def resize_loader_to_model(
    loader: ExternalLoader, preprocessing: Preprocessing, classes: Classes, seed: int | None
) -> ExternalLoader:
    """Return a stream whose images are brought to the model's size and whose labels are checked against its classes."""
    return ExternalLoader(
        loader.batches, classes=classes, transform=lambda images: resize_to_model(images, preprocessing), seed=seed
    )


def make_validation_loader(
    validation: Images | ExternalLoader | None,
    preprocessing: Preprocessing,
    classes: Classes,
    device: torch.device,
    seed: int | None = None,
) -> Loader | ExternalLoader | None:
    """Return the loader of held-out images, in order."""
    if validation is None:
        return None
    if isinstance(validation, ExternalLoader):
        return resize_loader_to_model(validation, preprocessing, classes, seed)
    return Loader(
        resize_images_to_model(validation.with_classes(classes), preprocessing),
        batch_size=EVALUATION_BATCH_SIZE,
        shuffle=False,
    ).to(device)


def fit_normalization(preprocessing: Preprocessing, images: Images) -> Preprocessing:
    """Return the preprocessing with mean and standard deviation of the training images."""
    mean, std = resize_images_to_model(images, preprocessing).moments()
    return replace(preprocessing, mean=mean, std=std)


def check_external_loader(recipe: Recipe, validation: Any) -> None:
    """Raise for what a recipe asks of the training images and a stream cannot give."""
    asked = {
        "validation": recipe.validation > 0 and validation is None,
        "augment": bool(recipe.augment),
        "mixup": recipe.mixup > 0,
        "cutmix": recipe.cutmix > 0,
        "class_weights": recipe.class_weights == "balanced",
    }
    for name, is_asked in asked.items():
        if is_asked:
            raise ConfigError(
                f"{name} needs the images in memory, and a loader keeps its own; give fit the data set itself, "
                f"or set {name} off" + (" and hand over validation=..." if name == "validation" else "")
            )
