"""`zoo fit`: train a model and save it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.fit_steps import default_folder, describe_command, prepare_fit, restore_run, save_final, train
from zoo.cli.output import json_option, print_json
from zoo.cli.runs import load_command
from zoo.training.checkpoint.run_file import is_main_process

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.metrics.classification import Evaluation
    from zoo.model import Model

DISPLAY_OPTIONS = ("resume", "quiet", "is_json", "plot")
"""Options that say how a run is shown."""
RESUMABLE_OPTIONS = ("device", "every", "on_nan", "track")
"""Options that decide nothing of what a run learns, or that it may need another value of to go on."""
EXAMPLES = """
\b
zoo fit gcn-7x7 fashion-mnist-7x7
zoo fit cnn-simple fashion-mnist --recipe adam --epochs 5
zoo fit cnn-7x7 ./photos --config classes=2 --set lr=0.003 --set augment=flip,shift:1
zoo fit cnn-deep ./photos --from cnn-deep/fashion-mnist --epochs 5
zoo fit --resume ./runs/cnn-deep
zoo fit attention-gan-28x28 mnist --grids ./grids
"""


def parse_pairs(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """Read NAME=VALUE words; values are JSON where they can be, lists where they have commas, else text."""
    chosen = {}
    for word in texts:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{word!r} is not NAME=VALUE", ctx=ctx, param=parameter)
        chosen[name.replace("-", "_")] = _parse_value(text)
    return chosen


def _parse_value(text: str) -> Any:
    if "," in text and not text.startswith(("[", "{", '"')):
        return tuple(_parse_value(part) for part in text.split(",") if part)
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
    "--set", "changes", multiple=True, callback=parse_pairs, metavar="FIELD=VALUE", help="Change a field of the recipe."
)
@click.option(
    "--config", multiple=True, callback=parse_pairs, metavar="OPTION=VALUE", help="Set an option of the model."
)
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
    help="Go on with the run in this folder, with the words it was begun with; --device, --every, --on-nan and --track "
    "may change.",
)
@click.option(
    "--on-nan",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do about a batch whose loss is not finite.",
)
@click.option("--track", multiple=True, metavar="NAME", help="Send the history to tensorboard, trackio, ...")
@click.option("--callback", "callbacks", multiple=True, metavar="NAME", help="A callback that a plugin offers.")
@click.option("--on-disk", "is_on_disk", is_flag=True, help="Leave the images of a folder or file on the disk.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the curves of loss and accuracy.")
@click.option(
    "--grids",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for a grid of what a generator draws, an epoch each.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@json_option
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
    checkpoint_every: str,
    resume: Path | None,
    on_nan: str,
    trackers: tuple[str, ...],
    callbacks: tuple[str, ...],
    lazy: bool,
    plot: Path | None,
    grids: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train MODEL on DATA, score it on the test images if there are any, and save it.

    MODEL is a name (zoo list), or a folder such as ./runs/gcn-7x7 to go on training. DATA is a data set (zoo data), or
    a folder such as ./photos with a sub-folder a class. Checkpoints lie beside what is saved until training is done;
    Ctrl-C and SIGTERM write one, and --resume goes on from the newest as if it had never stopped.
    """
    if resume is not None:
        changed = _read_changed_options(ctx)
        run, words = resume, load_command(resume) | changed
        made, sets = restore_run(words)
    else:
        if model is None or data is None:
            raise click.UsageError("give MODEL and DATA, or --resume FOLDER")
        made, sets = prepare_fit(model, data, config, seed, pretrained, lazy)
        made.license = license or made.license
        run = save or default_folder(model)
        changes = changes if epochs is None else {**changes, "epochs": epochs}
        words = describe_command(
            made, model, data=data, recipe=recipe, changes=changes, device=device, every=checkpoint_every
        )
        words |= {"on_nan": on_nan, "is_on_disk": lazy, "track": trackers, "callbacks": callbacks}
        words |= {"grids": None if grids is None else str(grids)}
    train(made, sets, run, words, progress=not quiet, resume=resume is not None)
    if is_main_process():
        _finish(made, sets, run, plot, as_json)


def _read_changed_options(ctx: click.Context) -> dict[str, Any]:
    """Return the options that a run may go on with another value of; it goes on with all others as it was begun.

    Raises:
        UsageError: One of the others is given.
    """
    source = click.core.ParameterSource.COMMANDLINE
    given = [each for each in ctx.command.params if ctx.get_parameter_source(each.name or "") == source]
    odd = [each.get_error_hint(ctx) for each in given if each.name not in (*DISPLAY_OPTIONS, *RESUMABLE_OPTIONS)]
    if odd:
        raise click.UsageError(f"a run goes on with what it was begun with; leave out {', '.join(odd)}")
    if ctx.params["every"] == "never":
        raise click.UsageError("a run goes on from checkpoints and keeps on writing them; leave out --every never")
    return {each.name or "": ctx.params[each.name or ""] for each in given if each.name in RESUMABLE_OPTIONS}


def _finish(model: Model, dataset: Dataset, folder: Path, plot: Path | None, as_json: bool) -> None:
    """Score what is trained on the test images if there are any, save it, and say so."""
    from zoo.cli.predict import get_test_images

    images = get_test_images(dataset) if model.spec.task == "classification" else None
    result = None if images is None else model.evaluate(images, store=True)
    save_final(model, folder)
    if plot is not None:
        from zoo.plots import plot_curves, save_figure

        save_figure(plot_curves({model.spec.name: model.history}), plot)
    _print_result(model, result, folder, as_json)


def _print_result(model: Model, result: Evaluation | None, folder: Path, as_json: bool) -> None:
    if as_json:
        record = {"model": model.spec.name, "saved": str(folder), "seed": model.seed, "stopped": model.history.stopped}
        print_json({**record, "history": list(model.history), "test": result.to_json() if result else None})
        return
    if result:
        low, high = result.interval
        click.echo(f"test accuracy {result.accuracy:.4f} ({low:.4f} to {high:.4f}, 95 %) on {result.count} images")
    named = folder if folder.is_absolute() or str(folder).startswith((".", "~")) else f"./{folder}"
    use = f"zoo sample {named} draws" if model.spec.task == "generation" else f"zoo predict {named} picture.png labels"
    click.echo(f"saved to {named}; {use} with it")
