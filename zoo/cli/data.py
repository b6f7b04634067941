"""`zoo data`: list the data sets, or describe one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.list import list_registry
from zoo.cli.options import json_option
from zoo.cli.output import print_json, print_record

if TYPE_CHECKING:
    from zoo.data import Images

IMAGES_PER_CLASS = 10


@click.command()
@click.argument("name", required=False)
@click.option("--download", is_flag=True, help="Download it if it is not on this machine.")
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="PNG to write, with ten images of each class."
)
@click.option("--size", type=click.IntRange(1), help="Resize images to this height and width.")
@json_option
def data(name: str | None, download: bool, size: int | None, picture: Path | None, as_json: bool) -> None:
    """List the data sets, or read NAME (a data set, or a folder such as ./photos) and describe it."""
    if name is None:
        list_registry("datasets", as_json=as_json)
        return
    from zoo.api import dataset
    from zoo.errors import SourceError

    loaded = dataset(name, download=download, size=size)
    record: dict[str, Any] = {"name": name}
    for part in ("train", "test"):
        try:
            record |= _describe_images(part, getattr(loaded, part))
        except SourceError as error:
            record[part] = f"none: {error}"
    if picture is not None:
        _write_class_grid(loaded.train, picture)
        record["picture"] = str(picture)
    print_json(record) if as_json else print_record(record)


def _describe_images(part: str, images: Images) -> dict[str, Any]:
    height, width = images.size
    size = f"{images.channels} x {height} x {width}"
    return {part: len(images), "images": size, f"{part} counts": images.counts}


def _write_class_grid(images: Images, path: Path) -> None:
    """Write the first ten images of each class as a PNG, one row for each class."""
    import torch

    from zoo.data.image_files import write_grid

    num = IMAGES_PER_CLASS
    rows = [images[(images.labels == k).nonzero().flatten()[:num]].images for k in images.labels.unique().tolist()]
    padded = [torch.cat([row, row.new_full((num - len(row), *row.shape[1:]), 255)]) for row in rows]
    write_grid(torch.cat(padded), path, scale=max(1, 64 // max(images.size)))
