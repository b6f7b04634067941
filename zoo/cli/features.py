"""`zoo features`: write the features of images as a file."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import device_option, json_option
from zoo.cli.output import print_json

EXAMPLES = """
\b
Examples:
  zoo features cnn-deep/mnist photos/
  zoo features ./runs/cnn-deep a.png b.png --out features.csv
  python -c "import numpy; print(numpy.load('features.npz')['features'])"
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
@device_option
@json_option
def features(model: str, pictures: tuple[str, ...], out: Path, device: str | None, as_json: bool) -> None:
    """Write the features of PICTURES (image files, or folders of them): the inputs of the saved MODEL's last layer.

    The file has `features`, a row of numbers for each picture, and `files`, the names of the pictures in that order.
    """
    from zoo.api import load
    from zoo.data.inputs import find_image_files
    from zoo.export.feature_file import check_suffix, write_features

    check_suffix(out)
    files = [str(file) for name in pictures for file in find_image_files(name)]
    loaded = load(model).to(device or "cpu")
    vectors = loaded.features(files)
    write_features(out, vectors, files, model=loaded.reference or model)
    num, width = vectors.shape
    record = {"model": loaded.spec.name, "features": width, "written": str(out), "files": files}
    print_json(record) if as_json else click.echo(f"wrote {width} features of {num} pictures to {out}")
