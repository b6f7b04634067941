"""`zoo evaluate`: score a saved model on labelled images."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.datasets import load_dataset
from zoo.cli.options import device_option, json_option
from zoo.cli.output import print_json


@click.command()
@click.argument("model")
@click.argument("data")
@click.option("--part", type=click.Choice(["test", "train"]), default="test", show_default=True, help="Which images.")
@click.option("--top", "top_k", type=click.IntRange(1), default=5, show_default=True, help="The k of top-k accuracy.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="File for a plot of the confusion matrix."
)
@click.option(
    "--reference", help="For a generator: the classifier whose features are compared, such as cnn-deep/mnist."
)
@device_option
@json_option
def evaluate(
    model: str,
    data: str,
    part: str,
    top_k: int,
    plot: Path | None,
    reference: str | None,
    device: str | None,
    as_json: bool,
) -> None:
    """Score the saved MODEL, a folder such as ./runs/gcn-7x7, on the images of DATA.

    A classifier is scored by the labels. The images of a generator are compared with the real ones.
    """
    from zoo.api import load

    loaded = load(model).to(device or "cpu")
    dataset = load_dataset(data, loaded.preprocessing.size, loaded.preprocessing.resize)
    images = getattr(dataset, part)
    if loaded.spec.task_info.is_generative:
        from zoo.fidelity import fidelity

        scores = fidelity(loaded, images, reference=reference)
        print_json(scores.to_json()) if as_json else click.echo(str(scores))
        return
    result = loaded.evaluate(images, top_k=top_k)
    if plot is not None:
        from zoo.plots import plot_confusion_matrix, save_figure

        save_figure(plot_confusion_matrix(result), plot)
    print_json(result.to_json()) if as_json else click.echo(str(result))
