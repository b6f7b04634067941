"""What `zoo fit` does: make a model and its data ready, or what a run was begun with; train, and keep it."""

from __future__ import annotations

import atexit
import sys
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.runs import record_run
from zoo.saving.reference import is_path_reference
from zoo.training.checkpoint.run_file import is_main_process

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.model import Model

VALIDATION_FRACTION = 0.1
"""Share of the training images held out when a recipe selects by held-out scores and names no share."""


def describe_command(made: Model, model: str, **words: Any) -> dict[str, Any]:
    """Return, as JSON, all that says how a training was begun."""
    from zoo.factory.restore import get_dtype_name

    name = made.spec.name if is_path_reference(model) else model
    about = {"model": name, "config": made.config, "seed": made.seed, "dtype": get_dtype_name(made.net)}
    return {**about, "license": made.license, **words}


def restore_run(command: dict[str, Any]) -> tuple[Model, Dataset]:
    """Return the model and the data that a run was begun with; its weights come from a checkpoint."""
    from zoo.api import create
    from zoo.cli.predict import load_dataset

    made = create(command["model"], seed=command["seed"], **command["config"])
    if command["dtype"] not in ("mixed", "float32"):
        made.to(dtype=command["dtype"])
    made.license = command["license"]
    return made, load_dataset(
        command["data"], made.preprocessing.size, made.preprocessing.resize, command["is_on_disk"]
    )


def train(
    model: Model, dataset: Dataset, folder: Path, command: dict[str, Any], *, progress: bool, resume: bool
) -> None:
    """Train; what is trained when Ctrl-C or SIGTERM comes is saved beside the checkpoints.

    Test images are scored after each epoch where that decides nothing; a recipe that selects by held-out scores holds
    out a tenth of the training images instead.
    """
    from zoo.cli.predict import get_test_images
    from zoo.training.sample_grids import Grids

    changes = command["changes"]
    chosen = model.spec.get_recipe(command["recipe"]).replace(**changes)
    if chosen.validation == 0:
        changes = {**changes, "validation": VALIDATION_FRACTION if chosen.uses_validation else get_test_images(dataset)}
    is_kept = command["every"] != "never"
    kept = {"checkpoint": folder, "every": command["every"], "resume": resume} if is_kept else {}
    how = {name: command[name] for name in ("recipe", "device", "on_nan", "track")} | {"progress": progress}
    how["callbacks"] = [*command["callbacks"], *([Grids(command["grids"])] if command["grids"] else [])]
    try:
        with record_run(folder, model.spec.name, command) if is_kept and not resume else nullcontext():
            model.fit(dataset.train, **how, **kept, **changes)
    except (KeyboardInterrupt, SystemExit):
        if model.history and is_main_process():
            saved = model.save(folder)
            click.echo(f"\nwhat is trained so far is saved to {saved}", err=True)
        raise
    finally:
        if command["track"]:
            atexit.register(_send_stdout_to_stderr)  # after the trackers' own, so that it is called before them


def _send_stdout_to_stderr() -> None:
    """Send what trackers say at the very end to standard error: it is no result of ours."""
    sys.stdout.flush()
    sys.stdout = sys.stderr


def save_final(model: Model, folder: Path) -> None:
    """Save the model in place of its checkpoints."""
    from zoo.training.checkpoint.store import CheckpointStore

    model.save(folder)
    CheckpointStore(folder).clear()


def prepare_fit(
    model: str, data: str, config: dict[str, Any], seed: int | None, pretrained: str | None, lazy: bool
) -> tuple[Model, Dataset]:
    """Return a saved model to go on with, or a new one for as many classes as the data has, and the data."""
    from zoo.api import create, load
    from zoo.cli.predict import load_dataset
    from zoo.errors import ConfigError
    from zoo.plugins.catalog import CATALOG

    if is_path_reference(model):
        if config or seed is not None or pretrained is not None:
            raise ConfigError("--config, --seed and --from make a new model; a saved one keeps its own")
        made = load(model)
        return made, load_dataset(data, made.preprocessing.size, made.preprocessing.resize, lazy)
    spec = CATALOG.registry("models")[model]
    sets = load_dataset(data, config.get("size", spec.size), spec.resize, lazy)
    fitting = {"classes": len(sets.train.classes), "channels": sets.train.channels, **config}
    made = create(model, seed=seed, pretrained=pretrained, **fitting)
    if made.report is not None:
        click.echo(f"begun from {made.base}: {made.report}", err=True)
    return made, sets


def default_folder(model: str) -> Path:
    """Return where a run is saved: a new folder under `runs`, or the saved model's own when that goes on."""
    if is_path_reference(model):
        return Path(model)
    name = model.rpartition(":")[2]
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    return next(folder for folder in map(Path("runs").joinpath, names) if not folder.exists())
