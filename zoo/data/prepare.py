"""Prepare what `fit` and `evaluate` are given: images at the model's size, classes, normalisation, loaders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import torch

from zoo.data.augment import Augment
from zoo.data.external_loader import ExternalLoader, as_external_loader, is_external_loader
from zoo.data.images import Images
from zoo.data.inputs import resize_images_to_model, resize_to_model
from zoo.data.loader import Loader
from zoo.data.readers import as_images
from zoo.data.transforms import make_resize
from zoo.errors import ConfigError, LabelError
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing

EVALUATION_BATCH_SIZE = 1024
"""Images per batch when the loss on validation images is computed."""


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """Data in the form that training needs, and what a model adopts from it.

    Args:
        train: The loader of training batches.
        validation: The loader of validation batches, or None.
        classes: The model's classes from now on.
        preprocessing: The model's preprocessing from now on.
        name: Name of the training images, or empty.
    """

    train: Loader | ExternalLoader
    validation: Loader | ExternalLoader | None
    classes: Classes
    preprocessing: Preprocessing
    name: str


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """How data is prepared for one training.

    Args:
        model_name: Name of the model, for messages.
        recipe: Batch size, order, augmentation and the fraction to hold out.
        seed: Seed of the order and of the split.
        device: Where the images of a `Loader` are stored.
        adopt_classes: Take the classes of the training images, as a fresh model does.
        standardize: Measure mean and standard deviation of the training images, one per channel.
        augment: Let the loader augment; a generator's task augments real and generated images itself.
    """

    model_name: str
    recipe: Recipe
    seed: int
    device: torch.device
    adopt_classes: bool
    standardize: bool
    augment: bool


def prepare_data(
    data: Any, validation: Any, *, preprocessing: Preprocessing, classes: Classes, options: DataOptions
) -> PreparedData:
    """Turn what `fit` is given into loaders of batches at the model's size.

    Args:
        data: Labelled images in any form that `fit` takes.
        validation: Validation images in any form, or None to hold out a fraction of `data` as the recipe says.
        preprocessing: What the model expects of images.
        classes: The model's classes.
        options: How to prepare.

    Raises:
        ConfigError: The recipe needs all images in memory, and `data` is a loader.
        DataError: The images or labels do not fit the model.
    """
    validation = as_validation(validation, preprocessing)
    prepare = _prepare_loader if is_external_loader(data) else _prepare_images
    return prepare(data, validation, preprocessing, classes, options)


def _prepare_loader(
    data: Any,
    validation: Images | ExternalLoader | None,
    preprocessing: Preprocessing,
    classes: Classes,
    options: DataOptions,
) -> PreparedData:
    """Prepare a loader of another library, which keeps its own order and batch size."""
    check_external_loader(options.recipe, validation)
    loader = as_external_loader(data)
    if options.adopt_classes:
        classes = adopt_classes(loader.classes or classes, len(classes), options.model_name)
    return PreparedData(
        train=resize_loader_to_model(loader, preprocessing, classes, options.seed),
        validation=make_validation_loader(validation, preprocessing, classes, options.device, options.seed),
        classes=classes,
        preprocessing=preprocessing,
        name="",
    )


def _prepare_images(
    data: Any,
    validation: Images | ExternalLoader | None,
    preprocessing: Preprocessing,
    classes: Classes,
    options: DataOptions,
) -> PreparedData:
    """Prepare images that are read whole: split, standardise and batch them."""
    recipe, seed = options.recipe, options.seed
    all_images = train_images = as_images(data, transform=make_resize(preprocessing.size, preprocessing.resize))
    if options.adopt_classes:
        classes = adopt_classes(all_images.classes, len(classes), options.model_name)
    if validation is None and recipe.validation > 0:
        train_images, validation = all_images.split(recipe.validation, strategy=recipe.split, seed=seed)
    if options.standardize:
        preprocessing = fit_normalization(preprocessing, train_images)
    source = data if isinstance(data, Loader) and train_images is all_images else train_images
    loader_recipe = recipe if options.augment else recipe.replace(augment=())
    return PreparedData(
        train=make_train_loader(source, loader_recipe, seed, preprocessing, classes).to(options.device),
        validation=make_validation_loader(validation, preprocessing, classes, options.device, seed),
        classes=classes,
        preprocessing=preprocessing,
        name=all_images.name,
    )


def adopt_classes(classes: Classes, num_classes: int, model_name: str) -> Classes:
    """Return the classes that a fresh model with `num_classes` outputs takes from its first training set.

    Raises:
        LabelError: Their number differs, and they are not integers below `num_classes`.
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
    """Convert what `fit(validation=...)` is given to images or a loader; None stays None."""
    if validation is None:
        return None
    if is_external_loader(validation):
        return as_external_loader(validation)
    return as_images(validation, transform=make_resize(preprocessing.size, preprocessing.resize))


def apply_loader_settings(data: Any, recipe: Recipe, explicit: Collection[str]) -> Recipe:
    """Take `batch_size` and `shuffle` from a user's loader.

    Args:
        data: What `fit` trains on.
        recipe: The recipe of the training.
        explicit: Names of the recipe fields that were passed to `fit`.

    Raises:
        ConfigError: One of them was also passed to `fit`, or both the loader and the recipe augment.
    """
    if not isinstance(data, Loader) and not is_external_loader(data):
        return recipe
    for name in ("batch_size", "shuffle"):
        if name in explicit:
            raise ConfigError(
                f"{name} is decided by the loader that was passed to fit; set it there, or pass the loader's images"
            )
    if not isinstance(data, Loader):
        return recipe
    if data.augment is not None and _make_augment(recipe, data.classes):
        raise ConfigError("both the loader and the recipe augment; set augment, mixup and cutmix in only one of them")
    return recipe.replace(batch_size=data.batch_size, shuffle=data.shuffle)


def _make_augment(recipe: Recipe, classes: Classes) -> Augment | None:
    augment = Augment(recipe.augment, mixup=recipe.mixup, cutmix=recipe.cutmix, num_classes=len(classes))
    return augment if augment else None


def make_train_loader(
    source: Images | Loader, recipe: Recipe, seed: int, preprocessing: Preprocessing, classes: Classes
) -> Loader:
    """Make the loader of training batches; a `Loader` keeps its seed, augmentation and `drop_last`."""
    images, augment = as_images(source), _make_augment(recipe, classes)
    loader = source if isinstance(source, Loader) else Loader(images, seed=seed)
    return Loader(
        resize_images_to_model(images.with_classes(classes), preprocessing),
        batch_size=recipe.batch_size,
        shuffle=recipe.shuffle,
        seed=loader.seed,
        augment=loader.augment or augment,
        drop_last=loader.drop_last,
    )


def resize_loader_to_model(
    loader: ExternalLoader, preprocessing: Preprocessing, classes: Classes, seed: int | None
) -> ExternalLoader:
    """Return a loader whose images are resized to the model's size and whose labels are checked against its classes."""
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
    """Make the loader of validation batches, in order."""
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
    """Return the preprocessing with mean and standard deviation of the training images, one per channel."""
    mean, std = resize_images_to_model(images, preprocessing).moments()
    return replace(preprocessing, mean=mean, std=std)


def check_external_loader(recipe: Recipe, validation: Any) -> None:
    """Raise `ConfigError` if the recipe needs all training images in memory, which a loader does not give."""
    needs_images = {
        "validation": recipe.validation > 0 and validation is None,
        "augment": bool(recipe.augment),
        "mixup": recipe.mixup > 0,
        "cutmix": recipe.cutmix > 0,
        "class_weights": recipe.class_weights == "balanced",
    }
    for name, is_set in needs_images.items():
        if is_set:
            raise ConfigError(
                f"{name} needs the images in memory, and a loader keeps its own; pass the data set itself to fit, "
                f"or turn {name} off" + (" and pass validation=..." if name == "validation" else "")
            )
