"""Read the IDX format of MNIST and its relatives: four files in a folder, plain or gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zoo.data.images import Images
from zoo.errors import SourceError
from zoo.signature import Classes

FILE_PREFIXES = {"train": "train", "test": "t10k"}
MAX_BYTES = 1 << 31


def has_idx_files(folder: Path) -> bool:
    """Return whether a folder holds IDX images."""
    return any(_find_file(folder, f"{prefix}-images-idx3-ubyte") for prefix in FILE_PREFIXES.values())


def is_complete(folder: Path) -> bool:
    """Return whether a folder holds all four IDX files."""
    return all(
        _find_file(folder, f"{prefix}-{kind}-ubyte")
        for prefix in FILE_PREFIXES.values()
        for kind in ("images-idx3", "labels-idx1")
    )


def read_idx_folder(folder: Path, part: str, classes: Classes | None = None) -> Images:
    """Read the `train` or `test` part of an IDX folder.

    Raises:
        SourceError: A file is missing or damaged, or images and labels differ in number.
    """
    prefix = FILE_PREFIXES[part]
    images = _read_array(folder, f"{prefix}-images-idx3-ubyte", ndim=3)
    labels = _read_array(folder, f"{prefix}-labels-idx1-ubyte", ndim=1)
    if len(images) != len(labels):
        raise SourceError(f"{folder} has {len(images)} {part} images and {len(labels)} labels")
    return Images(images[:, None], labels.long(), classes)


def _find_file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_array(folder: Path, name: str, *, ndim: int) -> Tensor:
    path = _find_file(folder, name)
    if path is None:
        raise SourceError(f"{folder} has no {name}, nor {name}.gz")
    return parse_idx(_read_bytes(path), name=path, ndim=ndim)


def _read_bytes(path: Path) -> bytes:
    try:
        if path.suffix != ".gz":
            return path.read_bytes()
        with gzip.open(path) as file:
            data = file.read(MAX_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} is damaged: {error}") from error
    return data


def parse_idx(data: bytes, *, name: str | Path, ndim: int) -> Tensor:
    """Return the uint8 array of an IDX file: magic 0x000008DD with D axes, D big-endian lengths, then the bytes.

    Raises:
        SourceError: The magic number is wrong, or the file is too short or too long.
    """
    magic = int.from_bytes(data[:4], "big")
    if magic != 0x800 + ndim:
        raise SourceError(
            f"{name} is not an IDX file of {ndim} axes: it begins with 0x{magic:08x}, not 0x{0x800 + ndim:08x}"
        )
    start = 4 + 4 * ndim
    shape = [int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(ndim)]
    if len(data) != start + math.prod(shape):
        raise SourceError(f"{name} is damaged: it has {len(data)} bytes, its header says {start + math.prod(shape)}")
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy())
