"""Read Parquet shards in the Hugging Face layout: `image: {bytes, path}`, `label`, and class names in the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from zoo.data.arrays import encode_labels
from zoo.data.image_files import open_image, stack_images
from zoo.data.images import Images
from zoo.data.transforms import Transform
from zoo.errors import SourceError

IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels", "fine_label")


def find_shards(folder: Path, part: str) -> list[Path]:
    """Return the Parquet files of `train` or `test`, including those in a sub-folder `data`."""
    return sorted(path for root in (folder, folder / "data") for path in root.glob(f"{part}*.parquet"))


def read_shards(files: list[Path], transform: Transform | None = None) -> Images:
    """Read shards as one image set, in the given order; `transform` brings images of several sizes to one.

    Raises:
        SourceError: pyarrow is not installed, or a file is not Parquet or lacks an image or label column.
    """
    pq = _import_pyarrow()
    images, labels, names = [], [], None
    for path in files:
        try:
            table = pq.read_table(path)
        except (OSError, ValueError, NotImplementedError) as error:
            raise SourceError(f"{path} is not a Parquet file that can be read: {error}") from error
        image_column, label_column = (
            _find_column(table.column_names, candidates, path) for candidates in (IMAGE_COLUMNS, LABEL_COLUMNS)
        )
        names = names or _read_class_names(table.schema.metadata or {}, label_column)
        labels += table[label_column].to_pylist()
        images += [
            decode_value(value, f"{path}, row {row}", transform)
            for row, value in enumerate(table[image_column].to_pylist())
        ]
    if not images:
        raise SourceError(f"{files[0] if files else 'the folder'} has no rows")
    channels = max(image.shape[0] for image in images)
    images = [image.expand(channels, -1, -1) for image in images]
    numbers, classes = encode_labels(labels, names)
    return Images(stack_images(images, range(len(images))), numbers.to(torch.int64), classes)


class ShardReader:
    """Read one Parquet file, one row group at a time.

    Args:
        path: The file.

    Raises:
        SourceError: The file is not Parquet, or lacks an image or label column.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = _import_pyarrow().ParquetFile(path)
        except (OSError, ValueError, NotImplementedError) as error:
            raise SourceError(f"{path} is not a Parquet file that can be read: {error}") from error
        schema, metadata = self._file.schema_arrow, self._file.metadata
        self._image, self._label = (_find_column(schema.names, names, path) for names in (IMAGE_COLUMNS, LABEL_COLUMNS))
        self.class_names = _read_class_names(schema.metadata or {}, self._label)
        self.row_group_sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]

    def read_labels(self) -> list[Any]:
        """Return the labels of all rows."""
        return list(self._file.read([self._label])[self._label].to_pylist())

    def read_images(self, group: int) -> list[Any]:
        """Return the values of a row group's image column, not decoded."""
        return list(self._file.read_row_group(group, columns=[self._image])[self._image].to_pylist())


def _import_pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise SourceError("reading Parquet needs pyarrow: pip install 'zoo-models[parquet]'") from error
    return pyarrow.parquet


def _find_column(columns: list[str], names: tuple[str, ...], path: Path) -> str:
    match = next((name for name in names if name in columns), None)
    if match is None:
        raise SourceError(f"{path} has no column {' or '.join(names)}; it has {', '.join(columns)}")
    return match


def decode_value(value: Any, name: str, transform: Transform | None, channels: int | None = None) -> torch.Tensor:
    """Decode a value of an image column to uint8 (C, H, W).

    Raises:
        SourceError: The value has no bytes.
        ImageError: The bytes are not an image.
    """
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes):
        raise SourceError(f"{name} holds no image bytes")
    return open_image(data, channels, name=name, transform=transform)


def _read_class_names(metadata: dict[bytes, bytes], column: str) -> list[str] | None:
    """Read the ClassLabel names that the `datasets` library stores in a Parquet schema."""
    try:
        names = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"][column]["names"]
    except (ValueError, KeyError, TypeError):
        return None
    return [str(name) for name in names] if isinstance(names, list) else None
