"""What `Model.fit` is given, made ready for the trainer: sets at the model's size, loaders, task."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import torch

from zoo.data import Images, Loader, Stream, images_of
from zoo.data.augment import Augment
from zoo.data.inputs import fitted, suited
from zoo.data.readers import is_restartable
from zoo.data.transforms import Normalize, to_size
from zoo.errors import ConfigError, LabelError
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing
from zoo.tasks import Classification, Task
from zoo.tasks.generation import generation_by

EVALUATION_BATCH = 1024


@dataclass(frozen=True, kw_only=True)
class Ready:
    """What the trainer runs on, and what the model takes over from its data.

    Args:
        train: Where training batches come from.
        held: Where held-out batches come from, or None.
        task: What is learnt.
        classes: The model's classes from now on.
        preprocessing: The model's preprocessing from now on.
        name: Name of the training images, if they have one.
    """

    train: Loader | Stream
    held: Loader | Stream | None
    task: Task
    classes: Classes
    preprocessing: Preprocessing
    name: str


def ready(
    data: Any,
    validation: Any,
    *,
    spec: ModelSpec,
    wants: Preprocessing,
    classes: Classes,
    is_fresh: bool,
    standardize: bool,
    recipe: Recipe,
    seed: int,
    device: torch.device,
) -> Ready:
    """Make ready what `fit` was given; a fresh model adopts the classes of `data`, and its moments if asked."""
    held, name = to_score(validation, wants), ""
    if is_stream(data):
        check_stream(recipe, held)
        stream = as_stream(data)
        classes = adopted(stream.classes or classes, len(classes), spec.name) if is_fresh else classes
        train: Loader | Stream = suited_stream(stream, wants, classes, seed)
    else:
        whole = images = images_of(data, prepare=to_size(wants.size, wants.resize))
        classes, name = adopted(whole.classes, len(classes), spec.name) if is_fresh else classes, whole.name
        if held is None and recipe.validation > 0:
            images, held = whole.split(recipe.validation, how=recipe.split, seed=seed)
        wants = standardized(wants, images) if standardize else wants
        source = data if isinstance(data, Loader) and images is whole else images
        train = train_loader(source, _of_images(recipe, spec.task), seed, wants, classes).to(device)
    task = _task(spec.task, recipe, wants, classes, train)
    scoring = scoring_loader(held, wants, classes, device, seed)
    return Ready(train=train, held=scoring, task=task, classes=classes, preprocessing=wants, name=name)


def _of_images(recipe: Recipe, task: str) -> Recipe:
    """Return the recipe as the loader of training images takes it: a generator's task augments for itself."""
    return recipe.replace(augment=()) if task == "generation" else recipe


def _task(name: str, recipe: Recipe, wants: Preprocessing, classes: Classes, train: Loader | Stream) -> Task:
    if name == "generation":
        return generation_by(recipe, wants)
    return Classification(
        Normalize(wants), label_smoothing=recipe.label_smoothing, class_weights=class_weights(recipe, classes, train)
    )


def is_stream(source: Any) -> bool:
    """Return whether a source keeps its own order and cannot be read whole."""
    return isinstance(source, Stream) or (not isinstance(source, Images | Loader) and is_restartable(source))


def as_stream(source: Any) -> Stream:
    """Return somebody else's loader as a `Stream`."""
    return source if isinstance(source, Stream) else Stream(source)


def adopted(found: Classes, num_classes: int, model: str) -> Classes:
    """Return the classes a fresh model of `num_classes` outputs takes from its first training set.

    Raises:
        LabelError: They are more or fewer, and not whole numbers below `num_classes`.
    """
    if len(found) == num_classes:
        return found
    numbered = Classes.numbered(num_classes)
    if set(found.values) <= set(numbered.values):
        return numbered
    raise LabelError(
        f"these images have {len(found)} classes and {model} was created with {num_classes}; "
        f"create it with classes={len(found)}"
    )


def to_score(validation: Any, wants: Preprocessing) -> Images | Stream | None:
    """Return what `fit(validation=...)` was given as images or a stream."""
    if validation is None:
        return None
    if is_stream(validation):
        return as_stream(validation)
    return images_of(validation, prepare=to_size(wants.size, wants.resize))


def told_by(data: Any, recipe: Recipe, asked: Collection[str]) -> Recipe:
    """Return the recipe with what a loader decides itself; asking `fit` for something else is an error."""
    if not isinstance(data, Loader) and not is_stream(data):
        return recipe
    for name in ("batch_size", "shuffle"):
        if name in asked:
            raise ConfigError(
                f"{name} is decided by the loader that fit was given; set it there, or give fit its images"
            )
    if not isinstance(data, Loader):
        return recipe
    if data.augment is not None and _augment(recipe, data.classes):
        raise ConfigError("both the loader and the recipe augment; leave augment, mixup and cutmix to one of them")
    return recipe.replace(batch_size=data.batch_size, shuffle=data.shuffle)


def _augment(recipe: Recipe, classes: Classes) -> Augment | None:
    augment = Augment(recipe.augment, mixup=recipe.mixup, cutmix=recipe.cutmix, num_classes=len(classes))
    return augment if augment else None


def train_loader(source: Images | Loader, recipe: Recipe, seed: int, wants: Preprocessing, classes: Classes) -> Loader:
    """Return the loader that draws from training images; a `Loader` keeps its seed, augmentation and `drop_last`."""
    images, augment = images_of(source), _augment(recipe, classes)
    own = source if isinstance(source, Loader) else Loader(images, seed=seed)
    return Loader(
        suited(images.with_classes(classes), wants),
        batch_size=recipe.batch_size,
        shuffle=recipe.shuffle,
        seed=own.seed,
        augment=own.augment or augment,
        drop_last=own.drop_last,
    )


def suited_stream(stream: Stream, wants: Preprocessing, classes: Classes, seed: int | None) -> Stream:
    """Return a stream whose images are brought to the model's size and whose labels are checked against its classes."""
    return Stream(stream.batches, classes=classes, prepare=lambda images: fitted(images, wants), seed=seed)


def scoring_loader(
    held: Images | Stream | None,
    wants: Preprocessing,
    classes: Classes,
    device: torch.device,
    seed: int | None = None,
) -> Loader | Stream | None:
    """Return the loader of held-out images, in order."""
    if held is None:
        return None
    if isinstance(held, Stream):
        return suited_stream(held, wants, classes, seed)
    return Loader(suited(held.with_classes(classes), wants), batch_size=EVALUATION_BATCH, shuffle=False).to(device)


def standardized(wants: Preprocessing, train: Images) -> Preprocessing:
    """Return the preprocessing with mean and standard deviation of the training images."""
    mean, std = suited(train, wants).moments()
    return replace(wants, mean=mean, std=std)


def check_stream(recipe: Recipe, validation: Any) -> None:
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


def class_weights(recipe: Recipe, classes: Classes, train: Loader | Stream) -> torch.Tensor | None:
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
