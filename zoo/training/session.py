"""Run one `fit`, from its arguments to a trained net: data, task, checkpoints, displays and the loop.

`run_fit` is the body of `Model.fit`. `prepare_training` is its first half alone; `zoo.tuning` uses it to try settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from zoo.data.prepare import DataOptions, PreparedData, apply_loader_settings, prepare_data
from zoo.device import resolve_device
from zoo.errors import ConfigError, PluginError, ZooError
from zoo.plugins.catalog import CATALOG
from zoo.plugins.import_string import import_object
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe
from zoo.saving.history import History
from zoo.saving.provenance import Provenance
from zoo.saving.reference import is_path_reference
from zoo.seeding import use_seed
from zoo.task_info import TASK_INFO
from zoo.tasks import Task
from zoo.tasks.build import build_task
from zoo.training.callbacks import Callback
from zoo.training.checkpoint.fingerprint import TrainableModel, capture_start
from zoo.training.checkpoint.run import Run, open_run
from zoo.training.progress import progress_callbacks
from zoo.training.trackers import tracker_callbacks
from zoo.training.trainer import Trainer

Callbacks = Sequence[Callback | str]
"""Callbacks as users pass them: objects, or names that plugins offer."""


class FittableModel(TrainableModel, Protocol):
    """The parts of a `Model` that `fit` reads and changes."""

    provenance: Provenance


@dataclass(frozen=True)
class CheckpointOptions:
    """Where a training is stored, how often, and whether it continues one that was interrupted.

    Args:
        folder: Folder of the run for checkpoints, history and progress, or None to store nothing. With a folder, Ctrl-C
            and SIGTERM finish the step, write a checkpoint and raise `Interrupted` or `Terminated` of
            `zoo.training.checkpoint.signals`.
        every: How often a checkpoint is written: `epoch`, `2 epochs`, `500 steps`, `10 minutes`; see
            `zoo.training.checkpoint.interval`. The best epoch is stored as well.
        keep: Number of the newest checkpoints to keep.
        resume: True continues the run in `folder`, with the same arguments, to the same weights bit for bit as without
            the interruption. `auto` starts it if there is none.
    """

    folder: str | Path | None = None
    every: str = "epoch"
    keep: int = 2
    resume: bool | str = False


@dataclass(frozen=True)
class FitOptions:
    """How to run a training, apart from the data and the recipe.

    Args:
        device: Device to train on; a GPU if there is one when None.
        callbacks: Objects with `on_step(training)` and `on_epoch(training)`, or names of those that plugins offer.
        progress: Show progress on standard error.
        checkpoints: Where and how often the training is stored.
        on_nan: `stop` at a loss that is not finite, or `skip` its batch.
        trackers: Names of experiment trackers, such as `tensorboard`.
    """

    device: str | torch.device | None
    callbacks: Callbacks
    progress: bool
    checkpoints: CheckpointOptions
    on_nan: str
    trackers: str | Sequence[str]


class PreparedTraining(NamedTuple):
    """What a training runs on: loaders and what the model adopts from them, and the task with its losses."""

    data: PreparedData
    task: Task


def resolve_recipe(spec: ModelSpec, recipe: Recipe | str | None, changes: Mapping[str, Any]) -> Recipe:
    """Return a recipe, or the model's recipe of that name, with some fields changed."""
    base = recipe if isinstance(recipe, Recipe) else spec.get_recipe(recipe)
    return base.replace(**changes)


def run_fit(
    model: FittableModel,
    data: Any,
    validation: Any,
    recipe: Recipe | str | None,
    changes: dict[str, Any],
    options: FitOptions,
) -> None:
    """Train a model in place; an error of zoo leaves it as it was.

    Args:
        model: The model.
        data: Labelled images: `Images`, a data set (its training images), a folder, `(X, y)`, a torch `Dataset` or
            `DataLoader`, or an iterable of `(images, labels)`. They are resized to the model's size. A loader decides
            batch size and order itself.
        validation: Images to score after each epoch, or the fraction of `data` to hold out, between 0 and 1.
        recipe: A recipe, the name of one of the model's, or None for its default.
        changes: Fields of the recipe to change.
        options: Device, callbacks, checkpoints and trackers.

    Raises:
        ConfigError: A field of the recipe is unknown or has an invalid value.
        DataError: Images or labels do not fit the model.
        TrainingError: The loss is not finite.
        WeightsError: There is no intact checkpoint to resume from, or the folder cannot be written.
        DeviceError: There is no such device.
    """
    if isinstance(validation, int | float):
        changes, validation = {"validation": validation, **changes}, None
    resolved = apply_loader_settings(data, resolve_recipe(model.spec, recipe, changes), changes)
    seed = model.seed if resolved.seed is None else resolved.seed
    device, callbacks = resolve_device(options.device), resolve_callbacks(options.callbacks)
    with restore_on_error(model), use_seed(seed, device), _open_outputs(model, resolved, seed, options) as outputs:
        trainer = Trainer(resolved, device=device, callbacks=[*outputs.callbacks, *callbacks], on_nan=options.on_nan)
        _train(model, data, validation, trainer=trainer, recipe=resolved, seed=seed, device=device, run=outputs.run)
    model.provenance = replace(model.provenance, recipe=resolved)


class _Outputs(NamedTuple):
    """What follows a training while it runs: the folder of the run, and callbacks that show and send the history."""

    run: Run | None
    callbacks: list[Callback]


@contextmanager
def _open_outputs(model: FittableModel, recipe: Recipe, seed: int, options: FitOptions) -> Iterator[_Outputs]:
    """Open the display, the folder of the run and the trackers, and close them in reverse order."""
    checkpoints = options.checkpoints
    settings = {"model": model.spec.name, **model.config, **recipe.to_json(), "seed": seed}
    with (
        progress_callbacks(options.progress) as displays,
        open_run(
            checkpoints.folder,
            checkpoint_every=checkpoints.every,
            keep_checkpoints=checkpoints.keep,
            resume=checkpoints.resume,
        ) as run,
        tracker_callbacks(
            options.trackers, project=model.spec.name, folder=checkpoints.folder, config=settings
        ) as trackers,
    ):
        yield _Outputs(run, [*displays, *trackers])


def _train(
    model: FittableModel,
    data: Any,
    validation: Any,
    *,
    trainer: Trainer,
    recipe: Recipe,
    seed: int,
    device: torch.device,
    run: Run | None,
) -> None:
    """Prepare the data, adopt what it decides, and run the loop; a run that is resumed begins where it began."""
    if run:
        run.rewind(model)
    start = capture_start(model)
    prepared, task = prepare_training(model, data, validation, recipe=recipe, seed=seed, device=device)
    adopt_data(model, prepared)
    train, scored = prepared.train, prepared.validation
    checkpointer = run.make_checkpointer(model, start, recipe, train, scored, trainer.environment) if run else None
    trainer.fit(model.net, task, train, scored, model.history, checkpointer)


def prepare_training(
    model: FittableModel, data: Any, validation: Any, *, recipe: Recipe, seed: int, device: torch.device
) -> PreparedTraining:
    """Prepare data and task for a training of a model; the model itself does not change.

    A model without history adopts the classes of the data. If it also has no trained weights to begin from, it adopts
    the mean and standard deviation that its spec asks to measure.
    """
    is_fresh = not model.history
    options = DataOptions(
        model_name=model.spec.name,
        recipe=recipe,
        seed=seed,
        device=device,
        adopt_classes=is_fresh,
        standardize=model.spec.standardize and is_fresh and not model.base,
        augment=not TASK_INFO[model.spec.task].has_own_augmentation,
    )
    prepared = prepare_data(data, validation, preprocessing=model.preprocessing, classes=model.classes, options=options)
    task = build_task(model.spec.task, recipe, prepared.preprocessing, prepared.classes, prepared.train)
    return PreparedTraining(prepared, task)


def adopt_data(model: FittableModel, prepared: PreparedData) -> None:
    """Give a model what it takes over from its training data; scores of the previous weights are dropped."""
    model.classes, model.preprocessing = prepared.classes, prepared.preprocessing
    before = model.provenance
    # The path of a folder means nothing to others, so the base stays the last reference that does.
    base = before.base if is_path_reference(before.reference) else before.reference or before.base
    model.provenance = replace(before, data=prepared.name, scores=(), base=base, reference="")


@contextmanager
def restore_on_error(model: FittableModel) -> Iterator[None]:
    """Restore the model if the block raises a `ZooError`; after Ctrl-C the weights trained so far stay."""
    weights_before = {name: tensor.clone() for name, tensor in model.net.state_dict().items()}
    history = History(model.history, stopped=model.history.stopped)
    before = {**vars(model), "provenance": replace(model.provenance, history=history)}
    try:
        yield
    except ZooError:
        state = model.net.state_dict()  # keeps the layer versions that some nets of torchvision ask for
        state.update(weights_before)
        model.net.load_state_dict(state)
        vars(model).update(before)
        raise
    finally:
        model.net.eval()


def resolve_callbacks(callbacks: Iterable[Callback | str] | str) -> list[Callback]:
    """Return callback objects, making those that are named; a single name counts as a list of one.

    Raises:
        ConfigError: `callbacks` is not a list.
        UnknownNameError: No plugin offers a callback of that name.
        PluginError: A named callback cannot be made.
    """
    if isinstance(callbacks, str):
        return [resolve_callback(callbacks)]
    if not isinstance(callbacks, Iterable):
        raise ConfigError(f"callbacks is a list of callbacks or of names that plugins offer, not {callbacks!r}")
    return [resolve_callback(each) for each in callbacks]


def resolve_callback(callback: Callback | str) -> Callback:
    """Return a callback object; a name is looked up in the registry of callbacks and a new one is made.

    Raises:
        UnknownNameError: No plugin offers a callback of that name.
        PluginError: It cannot be made.
    """
    if not isinstance(callback, str):
        return callback
    registry = CATALOG.registry("callbacks")
    spec = registry[callback]
    try:
        instance: Callback = import_object(spec.build, spec.name)()
    except Exception as error:
        owner = f"the callback {callback!r} of plugin {registry.owner(callback)}"
        raise PluginError(f"{owner} cannot be made: {type(error).__name__}: {error}") from error
    return instance
