"""`zoo predict` and `zoo evaluate`: use a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli.output import as_json, print_json, print_table


@click.command()
@click.argument("model")
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--top", type=click.IntRange(1), default=1, show_default=True, help="How many classes to show for each image."
)
@click.option("--device", help="cpu, cuda, cuda:1 or mps.")
@as_json
def predict(model: str, images: tuple[str, ...], top: int, device: str | None, is_json: bool) -> None:
    """Label IMAGES (image files, or folders of them) with the saved MODEL, a folder such as ./runs/gcn-7x7."""
    from zoo.api import load
    from zoo.data.inputs import files_of

    files = [file for name in images for file in files_of(name)]
    loaded = load(model).to(device or "cpu")
    guesses = loaded.classify(files, top=top)
    rows = [{"image": str(file), **_best(best)} for file, best in zip(files, guesses, strict=True)]
    if is_json:
        print_json(
            [
                {"image": str(f), "classes": [vars(guess) for guess in best]}
                for f, best in zip(files, guesses, strict=True)
            ]
        )
    else:
        print_table(rows, right=("probability",))


def _best(guesses: list[Any]) -> dict[str, str]:
    if len(guesses) == 1:
        return {"class": guesses[0].name, "probability": f"{guesses[0].probability:.4f}"}
    return {"classes": ", ".join(f"{guess.name} {guess.probability:.4f}" for guess in guesses)}


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
@as_json
def evaluate(
    model: str,
    data: str,
    part: str,
    top: int,
    plot: Path | None,
    reference: str | None,
    device: str | None,
    is_json: bool,
) -> None:
    """Score the saved MODEL, a folder such as ./runs/gcn-7x7, on the images of DATA.

    A classifier by its labels; of a generator, drawn images are compared with real ones.
    """
    from zoo.api import load

    loaded = load(model).to(device or "cpu")
    sets = read(data, loaded.preprocessing.size, loaded.preprocessing.resize)
    images = getattr(sets, part)
    if loaded.spec.task == "generation":
        from zoo.fidelity import fidelity

        found = fidelity(loaded, images, reference=reference)
        print_json(found.to_json()) if is_json else click.echo(str(found))
        return
    result = loaded.evaluate(images, top=top)
    if plot is not None:
        from zoo.plots import confusion, write

        write(confusion(result), plot)
    print_json(result.to_json()) if is_json else click.echo(str(result))


def read(data: str, size: Any, how: str, is_on_disk: bool = False) -> Any:
    """Return a data set; pictures in a folder of one's own are brought to the model's size as they are read."""
    from zoo.api import dataset
    from zoo.saving.reference import is_folder

    if is_folder(data):
        return dataset(data, size=size, how=how, is_on_disk=is_on_disk)
    return dataset(data, is_on_disk=is_on_disk)


def test_images(sets: Any) -> Any:
    """Return a data set's test images, or None where it has none."""
    from zoo.errors import SourceError

    try:
        return sets.test
    except SourceError:
        return None
