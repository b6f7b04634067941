"""`zoo fit`: train a model and save it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.datasets import get_test_images
from zoo.cli.fit_command import FitCommand
from zoo.cli.fit_record import load_command
from zoo.cli.fit_steps import default_folder, describe_model, prepare_fit, restore_run, save_final, train
from zoo.cli.options import RecipeCommand, json_option, parse_pairs
from zoo.cli.output import print_json, print_text
from zoo.training.checkpoint.run_file import is_main_process

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.metrics.classification import Evaluation
    from zoo.model import Model

DISPLAY_OPTIONS = ("resume", "quiet", "as_json", "plot")
"""Options for how a run is shown."""
RESUMABLE_OPTIONS = ("device", "checkpoint_every", "on_nan", "trackers")
"""Options that may change when a run is resumed: they do not decide what it learns, or it may need them to go on."""
EXAMPLES = """
\b
Examples:
  zoo fit gcn-7x7 fashion-mnist-7x7
  zoo fit cnn-simple fashion-mnist --recipe adam --epochs 5
  zoo fit cnn-7x7 ./photos --set lr=0.003 --set augment=flip,shift:1
  zoo fit cnn-deep ./photos --from cnn-deep/fashion-mnist --epochs 5
  zoo fit --resume ./runs/cnn-deep
  zoo fit attention-gan-28x28 mnist --grids ./grids
"""


@click.command(cls=RecipeCommand, epilog=EXAMPLES)
@click.argument("model", required=False)
@click.argument("data", required=False)
@click.option("--epochs", type=int, help="Passes over the training images.")
@click.option("--recipe", help="Name of one of the model's recipes; see: zoo info MODEL.")
@click.option(
    "--set", "changes", multiple=True, callback=parse_pairs, metavar="FIELD=VALUE", help="Change a field of the recipe."
)
@click.option(
    "--config", multiple=True, callback=parse_pairs, metavar="OPTION=VALUE", help="Set an option of the model."
)
@click.option("--seed", type=click.IntRange(0), help="Seed of weights, shuffling and augmentation.")
@click.option("--device", help="Where to train: cpu, cuda, cuda:1 or mps.  [default: a GPU if there is one]")
@click.option("--from", "pretrained", help="Begin with trained weights: a tag such as mnist, or a saved model.")
@click.option("--license", help="Licence of the weights, such as mit; stored with them.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    help="Folder to save to.  [default: runs/MODEL, or runs/MODEL-2 and so on if that exists]",
)
@click.option(
    "--every",
    "checkpoint_every",
    default="epoch",
    show_default=True,
    help="Interval between checkpoints: epoch, '2 epochs', '500 steps', '10 minutes' or never.",
)
@click.option(
    "--resume",
    type=click.Path(file_okay=False, path_type=Path),
    help="Resume the run in this folder with the options it was begun with. Only --device, --every, --on-nan and "
    "--track may change.",
)
@click.option(
    "--on-nan",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do if the loss of a batch is not finite: stop training, or skip the batch.",
)
@click.option(
    "--track", "trackers", multiple=True, metavar="NAME", help="Log to tensorboard, trackio or another tracker."
)
@click.option("--callback", "callbacks", multiple=True, metavar="NAME", help="A callback; see: zoo list callbacks.")
@click.option("--on-disk", "lazy", is_flag=True, help="Read the images of a folder or file in batches, to save memory.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="File for a plot of loss and accuracy by epoch."
)
@click.option(
    "--grids",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for a grid of a generator's images after each epoch.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@json_option
@click.pass_context
def fit(
    ctx: click.Context,
    /,
    model: str | None,
    data: str | None,
    resume: Path | None,
    save: Path | None,
    plot: Path | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train MODEL on DATA, score it on the test images if there are any, and save it.

    MODEL is a name (see: zoo list), or a folder such as ./runs/gcn-7x7 to train further. DATA is a data set (see: zoo
    data), or a folder such as ./photos with one sub-folder for each class.

    Checkpoints are kept beside the saved model until training is done. Ctrl-C and SIGTERM write one, and --resume goes
    on from the newest one to the same result as an uninterrupted run.
    """
    if resume is not None:
        changed = _get_resume_changes(ctx)
        folder, command = resume, load_command(resume).replace(**changed)
        trained, dataset = restore_run(command)
    elif model is None or data is None:
        raise click.UsageError("give MODEL and DATA, or --resume FOLDER")
    else:
        folder = save or default_folder(model)
        trained, dataset, command = _begin(model, data, **options)
    train(trained, dataset, folder, command, progress=not quiet, resume=resume is not None)
    if is_main_process():
        _finish(trained, dataset, folder, plot, as_json)


def _begin(
    model: str,
    data: str,
    *,
    config: dict[str, Any],
    seed: int | None,
    pretrained: str | None,
    license: str | None,
    epochs: int | None,
    changes: dict[str, Any],
    grids: Path | None,
    lazy: bool,
    **stored: Any,
) -> tuple[Model, Dataset, FitCommand]:
    """Return a model to train, its data, and the command that `run.json` stores; `stored` are further fields of it."""
    trained, dataset = prepare_fit(model, data, config, seed, pretrained, lazy)
    trained.license = license or trained.license
    command = FitCommand(
        **describe_model(trained, model),
        data=data,
        changes=changes if epochs is None else {**changes, "epochs": epochs},
        grids=None if grids is None else str(grids),
        lazy=lazy,
        **stored,
    )
    return trained, dataset, command


def _get_resume_changes(ctx: click.Context) -> dict[str, Any]:
    """Return the options given beside --resume that may change; all others stay as the run was begun.

    Raises:
        UsageError: An option that must not change is given.
    """
    source = click.core.ParameterSource.COMMANDLINE
    passed = [each for each in ctx.command.params if ctx.get_parameter_source(each.name or "") == source]
    refused = [each.get_error_hint(ctx) for each in passed if each.name not in (*DISPLAY_OPTIONS, *RESUMABLE_OPTIONS)]
    if refused:
        raise click.UsageError(f"a resumed run keeps the options it was begun with; leave out {', '.join(refused)}")
    if ctx.params["checkpoint_every"] == "never":
        raise click.UsageError("a resumed run must write checkpoints; leave out --every never")
    return {each.name or "": ctx.params[each.name or ""] for each in passed if each.name in RESUMABLE_OPTIONS}


def _finish(model: Model, dataset: Dataset, folder: Path, plot: Path | None, as_json: bool) -> None:
    """Score the trained model on the test images if there are any, save it, and print where."""
    images = get_test_images(dataset) if model.spec.task_info.has_accuracy else None
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
        text = f"test accuracy {result.accuracy:.4f} ({low:.4f} to {high:.4f}, 95 %) on {result.count:,} images"
        print_text(text, indent="  ")
    path = folder if folder.is_absolute() or str(folder).startswith((".", "~")) else f"./{folder}"
    click.echo(f"saved to {path}")
    print_text(f"to use it: {model.spec.task_info.command.format(model=path)}")
