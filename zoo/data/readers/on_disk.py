"""Open image sets larger than memory: a safetensors file, a folder of images or Parquet shards, read batch by batch."""

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
from zoo.files.safetensors_rows import Column, RowReader, write_rows
from zoo.signature import Classes

PARTS = ("train", "test")
BLOCK_BYTES = 1 << 20
"""Bytes of a file that are read at once to hash it."""


def open_safetensors(path: Path) -> Dataset:
    """Open the image sets in a file that `write_image_batches` or `archives.write_safetensors` wrote.

    Raises:
        SourceError: The file is damaged, or is not an image set.
    """
    try:
        file = RowReader(path)
        metadata = json.loads(file.metadata_text)
        classes = Classes.of(metadata["values"], metadata["names"])
    except (WeightsError, KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{path} is not an image set that can be read lazily: {error}") from error

    def part(name: str) -> Images:
        if f"{name}.images" not in file.header.entries or f"{name}.labels" not in file.header.entries:
            raise SourceError(f"{path} has no {name} part; it has {', '.join(sorted(file.header.entries))}")
        entry = file.header.entries[f"{name}.images"]
        if len(entry.shape) != 4 or entry.dtype != "uint8":
            raise SourceError(f"{path}: {name}.images is {entry.dtype} {entry.shape}, not uint8 (N, C, H, W)")
        images = LazyImages(
            lambda indices: file.read_rows(f"{name}.images", indices), (*entry.shape[:3], entry.shape[3])
        )
        return Images(images, file.read_tensor(f"{name}.labels").long(), classes)

    return Dataset(train=lambda: part("train"), test=lambda: part("test"), name=path.stem)


def write_image_batches(
    path: Path,
    batches: Iterable[tuple[Tensor, Tensor]],
    num_images: int,
    *,
    shape: tuple[int, int, int],
    classes: Classes,
) -> None:
    """Write training images that do not fit into memory as one safetensors file, batch by batch.

    Args:
        path: The file; an existing one is replaced.
        batches: Images uint8 (B, C, H, W) and class indices (B).
        num_images: Number of images over all batches.
        shape: C, H and W.
        classes: The classes.

    Raises:
        ImageError: A batch has another shape.
        WeightsError: The batches have more or fewer than `num_images` images.
        OSError: The file cannot be written.
    """
    columns = {"train.images": Column("U8", (num_images, *shape)), "train.labels": Column("I64", (num_images,))}
    text = json.dumps({"values": classes.values, "names": classes.names})
    write_rows(path, columns, _iter_column_bytes(batches, shape), text)


def _iter_column_bytes(
    batches: Iterable[tuple[Tensor, Tensor]], shape: tuple[int, int, int]
) -> Iterator[tuple[str, bytes]]:
    for images, labels in batches:
        if images.dtype != torch.uint8 or tuple(images.shape[1:]) != tuple(shape) or len(images) != len(labels):
            raise ImageError(f"a batch of {images.dtype} {tuple(images.shape)} with {len(labels)} labels, not {shape}")
        yield "train.images", images.contiguous().numpy().tobytes()
        yield "train.labels", labels.to(torch.int64).contiguous().numpy().tobytes()


def open_image_folder(folder: Path, transform: Transform | None = None) -> Images:
    """Open a folder with one sub-folder per class as images that are read from their files batch by batch.

    The first image decides the channels, and without `transform` the size.

    Raises:
        SourceError: There are no images.
    """
    folders = list_class_folders(folder)
    files = [(path, index) for index, child in enumerate(folders) for path in list_image_files(child)]
    if not files:
        raise SourceError(f"{folder} has no sub-folder with images; make one sub-folder per class")
    first = open_image(files[0][0], transform=transform)

    def read(indices: Tensor) -> Tensor:
        paths = [files[index][0] for index in indices.tolist()]
        return stack_images((open_image(path, first.shape[0], transform=transform) for path in paths), paths)

    shape = (len(files), first.shape[0], first.shape[1], first.shape[2])
    labels = torch.tensor([index for _, index in files])
    file_bytes = partial(_iter_file_bytes, [path for path, _ in files])
    classes = Classes.of([child.name for child in folders])
    return Images(LazyImages(read, shape, file_bytes=file_bytes), labels, classes)


def open_shards(files: list[Path], transform: Transform | None = None) -> Images:
    """Open Parquet shards as images; row groups are read when needed, and the last few stay in memory.

    Raises:
        SourceError: pyarrow is not installed, or a file is not Parquet or lacks an image or label column.
    """
    shards = [parquet.ShardReader(path) for path in files]
    numbers, classes = encode_labels(
        [label for shard in shards for label in shard.read_labels()], shards[0].class_names
    )
    groups = [(shard, group) for shard in shards for group in range(len(shard.row_group_sizes))]
    sizes = torch.tensor([shard.row_group_sizes[group] for shard, group in groups])
    blocks = torch.arange(len(groups)).repeat_interleave(sizes)
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    read_block = lru_cache(maxsize=2 * SHUFFLE_WINDOW)(lambda block: groups[block][0].read_images(groups[block][1]))
    first = parquet.decode_value(read_block(0)[0], str(files[0]), transform)

    def read_row(index: int) -> Any:
        block = int(blocks[index])
        return read_block(block)[index - int(starts[block])]

    def read(indices: Tensor) -> Tensor:
        rows = indices.tolist()
        images = [parquet.decode_value(read_row(row), f"row {row}", transform, first.shape[0]) for row in rows]
        return stack_images(images, rows)

    shape = (len(blocks), first.shape[0], first.shape[1], first.shape[2])
    return Images(
        LazyImages(read, shape, blocks=blocks, file_bytes=partial(_iter_file_bytes, files)),
        numbers.to(torch.int64),
        classes,
    )


def _iter_file_bytes(files: list[Path]) -> Iterator[bytes]:
    """Yield for each file its size in 8 bytes, then its bytes."""
    for path in files:
        yield path.stat().st_size.to_bytes(8, "little")
        with path.open("rb") as file:
            while part := file.read(BLOCK_BYTES):
                yield part
