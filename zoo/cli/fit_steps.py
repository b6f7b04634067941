"""What `zoo fit` does: make a model and its data ready, or what a run was begun with; train, and keep it."""

from __future__ import annotations

import atexit
import sys
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.runs import noted
from zoo.saving.reference import is_folder
from zoo.training.checkpoint.run_file import is_first

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.model import Model

HELD_OUT = 0.1
"""Share of the training images held out when a recipe selects by held-out scores and names no share."""


def words_of(made: Model, model: str, **words: Any) -> dict[str, Any]:
    """Return, as JSON, all that says how a training was begun."""
    from zoo.factory.restore import number_type

    name = made.spec.name if is_folder(model) else model
    about = {"model": name, "config": made.config, "seed": made.seed, "dtype": number_type(made.net)}
    return {**about, "license": made.license, **words}


def again(words: dict[str, Any]) -> tuple[Model, Dataset]:
    """Return the model and the data that a run was begun with; its weights come from a checkpoint."""
    from zoo.api import create
    from zoo.cli.predict import read

    made = create(words["model"], seed=words["seed"], **words["config"])
    if words["dtype"] not in ("mixed", "float32"):
        made.to(dtype=words["dtype"])
    made.license = words["license"]
    return made, read(words["data"], made.preprocessing.size, made.preprocessing.resize, words["is_on_disk"])


def train(
    model: Model, sets: Dataset, folder: Path, words: dict[str, Any], *, progress: bool, is_resumed: bool
) -> None:
    """Train; what is trained when Ctrl-C or SIGTERM comes is saved beside the checkpoints.

    Test images are scored after each epoch where that decides nothing; a recipe that selects by held-out scores holds
    out a tenth of the training images instead.
    """
    from zoo.cli.predict import test_images
    from zoo.training.sample_grids import Grids

    changes = words["changes"]
    chosen = model.spec.recipe_named(words["recipe"]).replace(**changes)
    if chosen.validation == 0:
        changes = {**changes, "validation": HELD_OUT if chosen.selects else test_images(sets)}
    is_kept = words["every"] != "never"
    kept = {"checkpoint": folder, "every": words["every"], "resume": is_resumed} if is_kept else {}
    how = {name: words[name] for name in ("recipe", "device", "on_nan", "track")} | {"progress": progress}
    how["callbacks"] = [*words["callbacks"], *([Grids(words["grids"])] if words["grids"] else [])]
    try:
        with noted(folder, model.spec.name, words) if is_kept and not is_resumed else nullcontext():
            model.fit(sets.train, **how, **kept, **changes)
    except (KeyboardInterrupt, SystemExit):
        if model.history and is_first():
            saved = model.save(folder)
            click.echo(f"\nwhat is trained so far is saved to {saved}", err=True)
        raise
    finally:
        if words["track"]:
            atexit.register(_aside)  # after the trackers' own, so that it is called before them


def _aside() -> None:
    """Send what trackers say at the very end to standard error: it is no result of ours."""
    sys.stdout.flush()
    sys.stdout = sys.stderr


def keep(model: Model, folder: Path) -> None:
    """Save the model in place of its checkpoints."""
    from zoo.training.checkpoint.store import Store

    model.save(folder)
    Store(folder).clear()


def prepared(
    model: str, data: str, config: dict[str, Any], seed: int | None, pretrained: str | None, is_on_disk: bool
) -> tuple[Model, Dataset]:
    """Return a saved model to go on with, or a new one for as many classes as the data has, and the data."""
    from zoo.api import create, load
    from zoo.cli.predict import read
    from zoo.errors import ConfigError
    from zoo.plugins.catalog import CATALOGUE

    if is_folder(model):
        if config or seed is not None or pretrained is not None:
            raise ConfigError("--config, --seed and --from make a new model; a saved one keeps its own")
        made = load(model)
        return made, read(data, made.preprocessing.size, made.preprocessing.resize, is_on_disk)
    spec = CATALOGUE.shelf("models")[model]
    sets = read(data, config.get("size", spec.size), spec.resize, is_on_disk)
    fitting = {"classes": len(sets.train.classes), "channels": sets.train.channels, **config}
    made = create(model, seed=seed, pretrained=pretrained, **fitting)
    if made.report is not None:
        click.echo(f"begun from {made.base}: {made.report}", err=True)
    return made, sets


def default_folder(model: str) -> Path:
    """Return where a run is saved: a new folder under `runs`, or the saved model's own when that goes on."""
    if is_folder(model):
        return Path(model)
    name = model.rpartition(":")[2]
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    return next(folder for folder in map(Path("runs").joinpath, names) if not folder.exists())
