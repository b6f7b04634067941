"""`zoo predict` and `zoo evaluate`: use a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli.output import json_option, print_json, print_table


@click.command()
@click.argument("model")
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--top", type=click.IntRange(1), default=1, show_default=True, help="How many classes to show for each image."
)
@click.option("--device", help="cpu, cuda, cuda:1 or mps.")
@json_option
def predict(model: str, images: tuple[str, ...], top_k: int, device: str | None, as_json: bool) -> None:
    """Label IMAGES (image files, or folders of them) with the saved MODEL, a folder such as ./runs/gcn-7x7."""
    from zoo.api import load
    from zoo.data.inputs import find_image_files

    files = [file for name in images for file in find_image_files(name)]
    loaded = load(model).to(device or "cpu")
    guesses = loaded.classify(files, top=top_k)
    rows = [{"image": str(file), **_format_predictions(best)} for file, best in zip(files, guesses, strict=True)]
    if as_json:
        print_json(
            [
                {"image": str(f), "classes": [vars(guess) for guess in best]}
                for f, best in zip(files, guesses, strict=True)
            ]
        )
    else:
        print_table(rows, right_aligned=("probability",))


def _format_predictions(predictions: list[Any]) -> dict[str, str]:
    if len(predictions) == 1:
        return {"class": predictions[0].name, "probability": f"{predictions[0].probability:.4f}"}
    return {"classes": ", ".join(f"{guess.name} {guess.probability:.4f}" for guess in predictions)}


@click.command()
@click.argument("model")
@click.argument("data")
@click.option("--part", type=click.Choice(["test", "train"]), default="test", show_default=True, help="Which images.")
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="The k of top-k accuracy.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the confusion matrix.")
@click.option(
    "--reference", help="For a generator: the classifier whose features are compared, such as cnn-deep/mnist."
)
@click.option("--device", help="cpu, cuda, cuda:1 or mps.")
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

    A classifier by its labels; of a generator, drawn images are compared with real ones.
    """
    from zoo.api import load

    loaded = load(model).to(device or "cpu")
    sets = load_dataset(data, loaded.preprocessing.size, loaded.preprocessing.resize)
    images = getattr(sets, part)
    if loaded.spec.task == "generation":
        from zoo.fidelity import fidelity

        found = fidelity(loaded, images, reference=reference)
        print_json(found.to_json()) if as_json else click.echo(str(found))
        return
    result = loaded.evaluate(images, top_k=top_k)
    if plot is not None:
        from zoo.plots import plot_confusion_matrix, save_figure

        save_figure(plot_confusion_matrix(result), plot)
    print_json(result.to_json()) if as_json else click.echo(str(result))


def load_dataset(data: str, size: Any, resize: str, lazy: bool = False) -> Any:
    """Return a data set; pictures in a folder of one's own are brought to the model's size as they are read."""
    from zoo.api import dataset
    from zoo.saving.reference import is_path_reference

    if is_path_reference(data):
        return dataset(data, size=size, resize=resize, lazy=lazy)
    return dataset(data, lazy=lazy)


def get_test_images(dataset: Any) -> Any:
    """Return a data set's test images, or None where it has none."""
    from zoo.errors import SourceError

    try:
        return dataset.test
    except SourceError:
        return None
