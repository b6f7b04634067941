"""`zoo features`: what a saved model has found in pictures, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.output import json_option, print_json

EXAMPLES = """
\b
zoo features cnn-deep/mnist photos/                              writes features.npz
zoo features ./runs/cnn-deep a.png b.png --out features.csv      a line a picture
python -c "import numpy; print(numpy.load('features.npz')['features'].shape)"
"""


@click.command(epilog=EXAMPLES)
@click.argument("model")
@click.argument("pictures", nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("features.npz"),
    show_default=True,
    help="The .npz, .csv or .safetensors file to write.",
)
@click.option("--device", help="cpu, cuda, cuda:1 or mps.")
@json_option
def features(model: str, pictures: tuple[str, ...], out: Path, device: str | None, as_json: bool) -> None:
    """Write what the saved MODEL finds in PICTURES (image files, or folders of them) before it decides.

    The file holds `features`, a row of numbers a picture, beside `files`, the pictures' names in the same order.
    """
    from zoo.api import load
    from zoo.data.inputs import find_image_files
    from zoo.export.feature_file import check_suffix, write_features

    check_suffix(out)
    files = [str(file) for name in pictures for file in find_image_files(name)]
    loaded = load(model).to(device or "cpu")
    found = loaded.features(files)
    write_features(out, found, files, model=loaded.reference or model)
    num, width = found.shape
    record = {"model": loaded.spec.name, "features": width, "written": str(out), "files": files}
    print_json(record) if as_json else click.echo(f"{width} features of {num} pictures are in {out}")
