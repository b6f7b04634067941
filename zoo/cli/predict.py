"""`zoo predict`: label images with a saved model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from zoo.cli.options import device_option, json_option
from zoo.cli.output import Column, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zoo.inference.runner import Prediction

COLUMNS = (Column("image"), Column("class"), Column("probability", right=True), Column("classes", wrap=True))


@click.command()
@click.argument("model")
@click.argument("images", nargs=-1, required=True)
@click.option("--top", "top_k", type=click.IntRange(1), default=1, show_default=True, help="Classes for each image.")
@device_option
@json_option
def predict(model: str, images: tuple[str, ...], top_k: int, device: str | None, as_json: bool) -> None:
    """Label IMAGES (image files, or folders of them) with the saved MODEL, a folder such as ./runs/gcn-7x7."""
    from zoo.api import load
    from zoo.data.inputs import find_image_files

    files = [file for name in images for file in find_image_files(name)]
    loaded = load(model).to(device or "cpu")
    predictions = list(zip(files, loaded.classify(files, top_k=top_k), strict=True))
    if as_json:
        print_json([{"image": str(file), "classes": [vars(each) for each in best]} for file, best in predictions])
    else:
        print_table([{"image": str(file), **_format_predictions(best)} for file, best in predictions], COLUMNS)


def _format_predictions(predictions: Sequence[Prediction]) -> dict[str, str]:
    if len(predictions) == 1:
        return {"class": predictions[0].name, "probability": f"{predictions[0].probability:.4f}"}
    return {"classes": ", ".join(f"{each.name} {each.probability:.4f}" for each in predictions)}
