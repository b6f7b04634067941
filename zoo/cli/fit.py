"""`zoo fit`: train a model and save it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.runs import begun, noted
from zoo.cli.table import as_json, print_json
from zoo.reference import is_folder
from zoo.run.record import is_first

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
zoo fit --resume ./runs/cnn-deep
zoo fit attention-gan-28x28 mnist --grids ./grids
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
@click.argument("model", required=False)
@click.argument("data", required=False)
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
@click.option(
    "--every",
    default="epoch",
    show_default=True,
    help="When to write a checkpoint: epoch, '2 epochs', '500 steps', '10 minutes', never.",
)
@click.option(
    "--resume",
    type=click.Path(file_okay=False, path_type=Path),
    help="Go on with the run in this folder, with the words it was begun with.",
)
@click.option(
    "--on-nan",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do about a batch whose loss is not finite.",
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the curves of loss and accuracy.")
@click.option(
    "--grids",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for a grid of what a generator draws, an epoch each.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@as_json
@click.pass_context
def fit(
    ctx: click.Context,
    model: str | None,
    data: str | None,
    epochs: int | None,
    recipe: str | None,
    changes: dict[str, Any],
    config: dict[str, Any],
    seed: int | None,
    device: str | None,
    pretrained: str | None,
    license: str | None,
    save: Path | None,
    every: str,
    resume: Path | None,
    on_nan: str,
    plot: Path | None,
    grids: Path | None,
    quiet: bool,
    is_json: bool,
) -> None:
    """Train MODEL on DATA, score it on the test images if there are any, and save it.

    MODEL is a name (zoo list), or a folder such as ./runs/gcn-7x7 to go on training. DATA is a data set (zoo data), or
    a folder such as ./photos with a sub-folder a class. Checkpoints lie beside what is saved until training is done;
    Ctrl-C and SIGTERM write one, and --resume goes on from the newest as if it had never stopped.
    """
    from zoo.cli.use import test_images

    if resume is not None:
        _check_alone(ctx)
        words, folder = begun(resume), resume
        made, sets = _again(words)
    else:
        if model is None or data is None:
            raise click.UsageError("give MODEL and DATA, or --resume FOLDER")
        made, sets = _prepared(model, data, config, seed, pretrained)
        made.license = license or made.license
        folder = save or _default_folder(model)
        changes = changes if epochs is None else {**changes, "epochs": epochs}
        words = _words(made, model, data=data, recipe=recipe, changes=changes, device=device, every=every)
        words |= {"on_nan": on_nan, "grids": None if grids is None else str(grids)}
    _train(made, sets, folder, words, progress=not quiet, is_resumed=resume is not None)
    if not is_first():
        return
    images = test_images(sets) if made.spec.task == "classification" else None
    result = None if images is None else made.evaluate(images, keep=True)
    _keep(made, folder)
    if plot is not None:
        from zoo.plots import curves, write

        write(curves({made.spec.name: made.history}), plot)
    _report(made, result, folder, is_json)


def _check_alone(ctx: click.Context) -> None:
    """Raise if more is given than what says how a run is shown: it goes on with what it was begun with."""
    shown = ("resume", "quiet", "is_json", "plot")
    given = [
        parameter.get_error_hint(ctx)
        for parameter in ctx.command.params
        if parameter.name not in shown
        and ctx.get_parameter_source(parameter.name or "") == click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"a run goes on with what it was begun with; leave out {', '.join(given)}")


def _words(made: Model, model: str, **words: Any) -> dict[str, Any]:
    """Return, as JSON, all that says how a training was begun."""
    from zoo.restoring import number_type

    name = made.spec.name if is_folder(model) else model
    about = {"model": name, "config": made.config, "seed": made.seed, "dtype": number_type(made.net)}
    return {**about, "license": made.license, **words}


def _again(words: dict[str, Any]) -> tuple[Model, Dataset]:
    """Return the model and the data that a run was begun with; its weights come from a checkpoint."""
    from zoo.api import create
    from zoo.cli.use import read

    made = create(words["model"], seed=words["seed"], **words["config"])
    if words["dtype"] not in ("mixed", "float32"):
        made.to(dtype=words["dtype"])
    made.license = words["license"]
    return made, read(words["data"], made.preprocessing.size, made.preprocessing.resize)


def _train(
    model: Model, sets: Dataset, folder: Path, words: dict[str, Any], *, progress: bool, is_resumed: bool
) -> None:
    """Train; what is trained when Ctrl-C or SIGTERM comes is saved beside the checkpoints.

    Test images are scored after each epoch where that decides nothing; a recipe that selects by held-out scores holds
    out a tenth of the training images instead.
    """
    from zoo.cli.use import test_images
    from zoo.grids import Grids

    changes = words["changes"]
    chosen = model.spec.recipe_named(words["recipe"]).replace(**changes)
    if chosen.validation == 0:
        changes = {**changes, "validation": HELD_OUT if chosen.selects else test_images(sets)}
    is_kept = words["every"] != "never"
    kept = {"checkpoint": folder, "every": words["every"], "resume": is_resumed} if is_kept else {}
    how = {"recipe": words["recipe"], "device": words["device"], "on_nan": words["on_nan"], "progress": progress}
    how["callbacks"] = [Grids(words["grids"])] if words["grids"] else []
    try:
        with noted(folder, model.spec.name, words) if is_kept and not is_resumed else nullcontext():
            model.fit(sets.train, **how, **kept, **changes)
    except (KeyboardInterrupt, SystemExit):
        if model.history and is_first():
            saved = model.save(folder)
            click.echo(f"\ninterrupted; {len(model.history)} epochs are saved to {saved}", err=True)
        raise


def _keep(model: Model, folder: Path) -> None:
    """Save the model in place of its checkpoints."""
    from zoo.run.store import Store

    model.save(folder)
    Store(folder).clear()


def _report(model: Model, result: Evaluation | None, folder: Path, is_json: bool) -> None:
    if is_json:
        record = {"model": model.spec.name, "saved": str(folder), "seed": model.seed, "stopped": model.history.stopped}
        print_json({**record, "history": list(model.history), "test": result.to_json() if result else None})
        return
    if result:
        low, high = result.interval
        click.echo(f"test accuracy {result.accuracy:.4f} ({low:.4f} to {high:.4f}, 95 %) on {result.count} images")
    named = folder if folder.is_absolute() or str(folder).startswith((".", "~")) else f"./{folder}"
    use = f"zoo sample {named} draws" if model.spec.task == "generation" else f"zoo predict {named} picture.png labels"
    click.echo(f"saved to {named}; {use} with it")


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
