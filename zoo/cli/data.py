"""`zoo data`: list data sets, or look into one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli.list_info import list_
from zoo.cli.output import json_option, print_json, print_record


@click.command()
@click.argument("name", required=False)
@click.option("--download", is_flag=True, help="Fetch it when it is not on this machine.")
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Write a PNG with ten images of each class."
)
@click.option("--size", type=click.IntRange(1), help="Read images at this height and width.")
@json_option
def data(name: str | None, download: bool, size: int | None, picture: Path | None, as_json: bool) -> None:
    """List the data sets, or read NAME (a data set or a folder such as ./photos) and say what is in it."""
    if name is None:
        list_.callback(pattern="*", shelf="datasets", is_json=as_json)  # type: ignore[misc]
        return
    from zoo.api import dataset
    from zoo.errors import SourceError

    found = dataset(name, download=download, size=size)
    record: dict[str, Any] = {"name": name}
    for part in ("train", "test"):
        try:
            images = getattr(found, part)
        except SourceError as error:
            record[part] = f"none: {error}"
            continue
        height, width = images.size
        record |= {
            part: len(images),
            "images": f"{images.channels} x {height} x {width}",
            f"{part} counts": images.counts,
        }
    if picture is not None:
        _write_class_grid(found.train, picture)
        record["picture"] = str(picture)
    print_json(record) if as_json else print_record(record)


def _write_class_grid(images: Any, path: Path) -> None:
    """Write the first ten images of each class, a class a row."""
    import torch

    from zoo.data.image_files import write_grid

    rows = [images[(images.labels == k).nonzero().flatten()[:10]].images for k in images.labels.unique().tolist()]
    padded = [torch.cat([row, row.new_full((10 - len(row), *row.shape[1:]), 255)]) for row in rows]
    write_grid(torch.cat(padded), path, scale=max(1, 64 // max(images.size)))
