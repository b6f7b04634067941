"""`zoo fit`: train a model and save it."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.table import as_json, print_json
from zoo.reference import is_folder

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.metrics import Evaluation
    from zoo.model import Model

HELD_OUT = 0.1
"""Share of the training images held out when a recipe selects by held-out scores and names no share."""
EXAMPLES = """
\b
zoo fit gcn-7x7 fashion-mnist-7x7
zoo fit cnn-simple fashion-mnist --recipe adam --epochs 5
zoo fit cnn-7x7 ./photos --config classes=2 --set lr=0.003 --set augment=flip,shift:1
zoo fit cnn-deep ./photos --from cnn-deep/fashion-mnist --epochs 5
"""


def pairs(ctx: click.Context, parameter: click.Parameter, words: tuple[str, ...]) -> dict[str, Any]:
    """Read NAME=VALUE words; values are JSON where they can be, lists where they have commas, else text."""
    chosen = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{word!r} is not NAME=VALUE", ctx=ctx, param=parameter)
        chosen[name.replace("-", "_")] = _value(text)
    return chosen


def _value(text: str) -> Any:
    if "," in text and not text.startswith(("[", "{", '"')):
        return tuple(_value(part) for part in text.split(",") if part)
    try:
        value = json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)
    return tuple(value) if isinstance(value, list) else value


@click.command(epilog=EXAMPLES)
@click.argument("model")
@click.argument("data")
@click.option("--epochs", type=int, help="Passes over the training images.")
@click.option("--recipe", help="One of the model's recipes by name; see: zoo info MODEL.")
@click.option(
    "--set", "changes", multiple=True, callback=pairs, metavar="FIELD=VALUE", help="Change a field of the recipe."
)
@click.option("--config", multiple=True, callback=pairs, metavar="OPTION=VALUE", help="Set an option of the model.")
@click.option("--seed", type=click.IntRange(0), help="Seed of weights, order and augmentation.")
@click.option("--device", help="cpu, cuda, cuda:1 or mps; a GPU when there is one.")
@click.option("--from", "pretrained", help="Begin from trained weights: a tag such as mnist, or a saved model.")
@click.option("--license", help="Identifier of the weights' licence, such as mit; stored with them.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    help="Folder to save to.  [default: runs/MODEL, or the first free of runs/MODEL-2, ...]",
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the curves of loss and accuracy.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@as_json
def fit(
    model: str,
    data: str,
    epochs: int | None,
    recipe: str | None,
    changes: dict[str, Any],
    config: dict[str, Any],
    seed: int | None,
    device: str | None,
    pretrained: str | None,
    license: str | None,
    save: Path | None,
    plot: Path | None,
    quiet: bool,
    is_json: bool,
) -> None:
    """Train MODEL on DATA, score it on the test images if there are any, and save it.

    MODEL is a name (zoo list), or a folder such as ./runs/gcn-7x7 to go on training. DATA is a data set (zoo data), or
    a folder such as ./photos with a sub-folder a class.
    """
    from zoo.cli.use import test_images

    made, sets = _prepared(model, data, config, seed, pretrained)
    made.license = license or made.license
    changes = changes if epochs is None else {**changes, "epochs": epochs}
    folder = save or _default_folder(model)
    _train(made, sets, folder, recipe=recipe, device=device, progress=not quiet, changes=changes)
    images = test_images(sets)
    result = None if images is None else made.evaluate(images, keep=True)
    made.save(folder)
    if plot is not None:
        from zoo.plots import curves, write

        write(curves({made.spec.name: made.history}), plot)
    _report(made, result, folder, is_json)


def _train(
    model: Model, sets: Dataset, folder: Path, *, changes: dict[str, Any], recipe: str | None, **how: Any
) -> None:
    """Train; what is trained when Ctrl-C comes is saved.

    Test images are scored after each epoch where that decides nothing; a recipe that selects by held-out scores holds
    out a tenth of the training images instead.
    """
    from zoo.cli.use import test_images

    chosen = model.spec.recipe_named(recipe).replace(**changes)
    if chosen.validation == 0:
        changes = {**changes, "validation": HELD_OUT if chosen.selects else test_images(sets)}
    try:
        model.fit(sets.train, recipe=recipe, **how, **changes)
    except KeyboardInterrupt:
        if model.history:
            saved = model.save(folder)
            click.echo(f"\ninterrupted; {len(model.history)} epochs are saved to {saved}", err=True)
        raise


def _report(model: Model, result: Evaluation | None, folder: Path, is_json: bool) -> None:
    if is_json:
        record = {"model": model.spec.name, "saved": str(folder), "seed": model.seed, "stopped": model.history.stopped}
        print_json({**record, "history": list(model.history), "test": result.to_json() if result else None})
        return
    if result:
        low, high = result.interval
        click.echo(f"test accuracy {result.accuracy:.4f} ({low:.4f} to {high:.4f}, 95 %) on {result.count} images")
    named = folder if folder.is_absolute() or str(folder).startswith((".", "~")) else f"./{folder}"
    click.echo(f"saved to {named}; zoo predict {named} picture.png labels with it")


def _prepared(
    model: str, data: str, config: dict[str, Any], seed: int | None, pretrained: str | None
) -> tuple[Model, Dataset]:
    """Return a saved model to go on with, or a new one for as many classes as the data has, and the data."""
    from zoo.api import create, load
    from zoo.cli.use import read
    from zoo.errors import ConfigError
    from zoo.plugins import CATALOGUE

    if is_folder(model):
        if config or seed is not None or pretrained is not None:
            raise ConfigError("--config, --seed and --from make a new model; a saved one keeps its own")
        made = load(model)
        return made, read(data, made.preprocessing.size, made.preprocessing.resize)
    spec = CATALOGUE.shelf("models")[model]
    sets = read(data, config.get("size", spec.size), spec.resize)
    fitting = {"classes": len(sets.train.classes), "channels": sets.train.channels, **config}
    made = create(model, seed=seed, pretrained=pretrained, **fitting)
    if made.report is not None:
        click.echo(f"begun from {made.base}: {made.report}", err=True)
    return made, sets


def _default_folder(model: str) -> Path:
    """Return where a run is saved: a new folder under `runs`, or the saved model's own when that goes on."""
    if is_folder(model):
        return Path(model)
    name = model.rpartition(":")[2]
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    return next(folder for folder in map(Path("runs").joinpath, names) if not folder.exists())
