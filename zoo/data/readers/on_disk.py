"""Sets larger than memory: a safetensors file, a folder of pictures or Parquet shards, read batch by batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.data.arrays import encode_labels
from zoo.data.dataset import Dataset
from zoo.data.image_files import list_image_files, open_image, stack_images
from zoo.data.images import Images
from zoo.data.lazy import SHUFFLE_WINDOW, LazyImages
from zoo.data.readers import parquet
from zoo.data.readers.image_folder import list_class_folders
from zoo.data.transforms import Transform
from zoo.errors import ImageError, SourceError, WeightsError
from zoo.files import safetensors_rows as mapping
from zoo.files.safetensors_rows import Column, RowReader
from zoo.signature import Classes

PARTS = ("train", "test")
BLOCK_BYTES = 1 << 20
"""Bytes of a file that are read at once where all are."""


def open_safetensors(path: Path) -> Dataset:
    """Return the sets in a file that `write` or `zoo.data.readers.archives.write_safetensors` wrote; they stay there.

    Raises:
        SourceError: The file is damaged, or holds something else.
    """
    try:
        file = RowReader(path)
        about = json.loads(file.metadata_text)
        classes = Classes.of(about["values"], about["names"])
    except (WeightsError, KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{path} is no image set that can stay on the disk: {error}") from error

    def part(name: str) -> Images:
        if f"{name}.images" not in file.header.entries or f"{name}.labels" not in file.header.entries:
            raise SourceError(f"{path} has no {name} part; it has {', '.join(sorted(file.header.entries))}")
        entry = file.header.entries[f"{name}.images"]
        if len(entry.shape) != 4 or entry.dtype != "uint8":
            raise SourceError(f"{path}: {name}.images is {entry.dtype} {entry.shape}, not uint8 (N, C, H, W)")
        distant = LazyImages(
            lambda places: file.read_rows(f"{name}.images", places), (*entry.shape[:3], entry.shape[3])
        )
        return Images(distant, file.read_tensor(f"{name}.labels").long(), classes)

    return Dataset(train=lambda: part("train"), test=lambda: part("test"), name=path.stem)


def write_image_batches(
    path: Path,
    batches: Iterable[tuple[Tensor, Tensor]],
    num_images: int,
    *,
    shape: tuple[int, int, int],
    classes: Classes,
) -> None:
    """Write training images that do not fit memory as one file, batch by batch; `packed` reads it.

    Args:
        path: Where; a file there is replaced.
        batches: Images uint8 (B, C, H, W) and class indices (B).
        num_images: How many images there are in all.
        shape: C, H and W.
        classes: The classes.

    Raises:
        ImageError: A batch has another shape.
        WeightsError: There are more or fewer images.
        OSError: It cannot be written.
    """
    columns = {"train.images": Column("U8", (num_images, *shape)), "train.labels": Column("I64", (num_images,))}
    about = json.dumps({"values": classes.values, "names": classes.names})
    mapping.write_rows(path, columns, _iter_column_bytes(batches, shape), about)


def _iter_column_bytes(
    batches: Iterable[tuple[Tensor, Tensor]], shape: tuple[int, int, int]
) -> Iterator[tuple[str, bytes]]:
    for images, labels in batches:
        if images.dtype != torch.uint8 or tuple(images.shape[1:]) != tuple(shape) or len(images) != len(labels):
            raise ImageError(f"a batch of {images.dtype} {tuple(images.shape)} with {len(labels)} labels, not {shape}")
        yield "train.images", images.contiguous().numpy().tobytes()
        yield "train.labels", labels.to(torch.int64).contiguous().numpy().tobytes()


def open_image_folder(folder: Path, transform: Transform | None = None) -> Images:
    """Return a folder with a sub-folder a class as images that are read from their files batch by batch.

    The first picture decides channels, and without `transform` the size.

    Raises:
        SourceError: There are no pictures.
    """
    folders = list_class_folders(folder)
    files = [(path, index) for index, child in enumerate(folders) for path in list_image_files(child)]
    if not files:
        raise SourceError(f"{folder} has no sub-folder with images; each class is a sub-folder")
    first = open_image(files[0][0], transform=transform)

    def read(places: Tensor) -> Tensor:
        chosen = [files[place][0] for place in places.tolist()]
        return stack_images((open_image(path, first.shape[0], transform=transform) for path in chosen), chosen)

    shape = (len(files), first.shape[0], first.shape[1], first.shape[2])
    labels = torch.tensor([index for _, index in files])
    source = partial(_iter_file_bytes, [path for path, _ in files])
    return Images(LazyImages(read, shape, file_bytes=source), labels, Classes.of([child.name for child in folders]))


def open_shards(files: list[Path], transform: Transform | None = None) -> Images:
    """Return Parquet shards as images whose row groups are read as they are needed, a few at a time in memory.

    Raises:
        SourceError: pyarrow is not installed, a file is no Parquet, or it has no image or label column.
    """
    sheets = [parquet.ShardReader(path) for path in files]
    numbers, classes = encode_labels(
        [label for sheet in sheets for label in sheet.read_labels()], sheets[0].class_names
    )
    groups = [(sheet, group) for sheet in sheets for group in range(len(sheet.row_group_sizes))]
    sizes = torch.tensor([sheet.row_group_sizes[group] for sheet, group in groups])
    blocks = torch.arange(len(groups)).repeat_interleave(sizes)
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    kept = lru_cache(maxsize=2 * SHUFFLE_WINDOW)(lambda block: groups[block][0].read_images(groups[block][1]))
    first = parquet.decode_value(kept(0)[0], str(files[0]), transform)

    def row(place: int) -> Any:
        block = int(blocks[place])
        return kept(block)[place - int(starts[block])]

    def read(places: Tensor) -> Tensor:
        chosen = places.tolist()
        decoded = [parquet.decode_value(row(place), f"row {place}", transform, first.shape[0]) for place in chosen]
        return stack_images(decoded, chosen)

    shape = (len(blocks), first.shape[0], first.shape[1], first.shape[2])
    return Images(
        LazyImages(read, shape, blocks=blocks, file_bytes=partial(_iter_file_bytes, files)),
        numbers.to(torch.int64),
        classes,
    )


def _iter_file_bytes(files: list[Path]) -> Iterator[bytes]:
    """Yield the bytes of files, and before each how many there are."""
    for path in files:
        yield path.stat().st_size.to_bytes(8, "little")
        with path.open("rb") as file:
            while part := file.read(BLOCK_BYTES):
                yield part
