"""The steps of `zoo fit`: prepare model and data, or restore those of a run; train; save."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.datasets import get_test_images, load_dataset
from zoo.cli.fit_command import FitCommand
from zoo.cli.fit_record import record_run
from zoo.cli.output import print_text
from zoo.recipe import VALIDATION_FRACTION
from zoo.saving.reference import is_path_reference
from zoo.training.checkpoint.run_file import is_main_process

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.model import Model


def describe_model(model: Model, reference: str) -> dict[str, Any]:
    """Return the fields of a `FitCommand` that describe a model; `reference` is the MODEL argument."""
    from zoo.device import get_dtype_name

    name = model.spec.name if is_path_reference(reference) else reference
    return {
        "model": name,
        "config": model.config,
        "seed": model.seed,
        "dtype": get_dtype_name(model.net),
        "license": model.license,
    }


def prepare_fit(
    model: str, data: str, config: Mapping[str, Any], seed: int | None, pretrained: str | None, lazy: bool
) -> tuple[Model, Dataset]:
    """Return a saved model, or a new one for the classes and channels of the data, and the data.

    Raises:
        ConfigError: Options of a new model are given for a saved one.
    """
    from zoo.api import create, load
    from zoo.errors import ConfigError
    from zoo.plugins.catalog import CATALOG

    if is_path_reference(model):
        if config or seed is not None or pretrained is not None:
            raise ConfigError("--config, --seed and --from are for new models; a saved model keeps its own")
        saved = load(model)
        return saved, load_dataset(data, saved.preprocessing.size, saved.preprocessing.resize, lazy)
    spec = CATALOG.registry("models")[model]
    dataset = load_dataset(data, config.get("size", spec.size), spec.resize, lazy)
    options = {"classes": len(dataset.train.classes), "channels": dataset.train.channels, **config}
    new = create(model, seed=seed, pretrained=pretrained, **options)
    if new.report is not None:
        print_text(f"begun from {new.base}: {new.report}", err=True)
    return new, dataset


def restore_run(command: FitCommand) -> tuple[Model, Dataset]:
    """Return the model and the data that a run was begun with; the weights come from its checkpoint."""
    from zoo.api import create

    model = create(command.model, seed=command.seed, **command.config)
    if command.dtype not in ("mixed", "float32"):
        model.to(dtype=command.dtype)
    model.license = command.license
    preprocessing = model.preprocessing
    return model, load_dataset(command.data, preprocessing.size, preprocessing.resize, command.lazy)


def train(model: Model, dataset: Dataset, folder: Path, command: FitCommand, *, progress: bool, resume: bool) -> None:
    """Train. After Ctrl-C or SIGTERM the weights are saved beside the checkpoints.

    Test images are scored after each epoch, unless the recipe selects by validation scores: then a tenth of the
    training images is used instead.
    """
    from zoo.training.sample_grids import Grids

    is_kept = command.checkpoint_every != "never"
    try:
        with record_run(folder, model.spec.name, command) if is_kept and not resume else nullcontext():
            model.fit(
                dataset.train,
                recipe=command.recipe,
                device=command.device,
                on_nan=command.on_nan,
                trackers=command.trackers,
                callbacks=[*command.callbacks, *([Grids(command.grids)] if command.grids else [])],
                progress=progress,
                checkpoint=folder if is_kept else None,
                checkpoint_every=command.checkpoint_every if is_kept else "epoch",
                resume=resume and is_kept,
                **_get_changes(model, dataset, command),
            )
    except (KeyboardInterrupt, SystemExit):
        if model.history and is_main_process():
            saved = model.save(folder)
            click.echo(f"\nthe weights trained so far are saved to {saved}", err=True)
        raise
    finally:
        if command.trackers:
            atexit.register(_send_stdout_to_stderr)  # after the trackers' own, so that it is called before them


def _get_changes(model: Model, dataset: Dataset, command: FitCommand) -> dict[str, Any]:
    """Return the changes of the recipe, with validation images if the command does not set them."""
    recipe = model.spec.get_recipe(command.recipe).replace(**command.changes)
    if recipe.validation != 0:
        return dict(command.changes)
    validation = VALIDATION_FRACTION if recipe.uses_validation else get_test_images(dataset)
    return {**command.changes, "validation": validation}


def _send_stdout_to_stderr() -> None:
    """Send what trackers print at exit to standard error: it is not output of zoo."""
    sys.stdout.flush()
    sys.stdout = sys.stderr


def save_final(model: Model, folder: Path) -> None:
    """Save the model, and delete its checkpoints."""
    from zoo.training.checkpoint.store import CheckpointStore

    model.save(folder)
    CheckpointStore(folder).clear()


def default_folder(model: str) -> Path:
    """Return where a run is saved: a new folder below `runs`, or the folder of a saved model."""
    if is_path_reference(model):
        return Path(model)
    name = model.rpartition(":")[2]
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    return next(folder for folder in map(Path("runs").joinpath, names) if not folder.exists())
