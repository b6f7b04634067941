"""A safetensors file larger than memory: written row by row, and mapped to be read where it lies."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import torch
from torch import Tensor

from zoo.errors import WeightsError
from zoo.folder import KEY
from zoo.header import DTYPES, Header, header_of, length_of

RESIDENT = 256 << 20
"""Bytes of a mapped file that may be in memory before they are handed back: they stay in the system's cache."""
AROUND = 64 << 10
"""Bytes that the system maps around each page that is read."""


class Column(NamedTuple):
    """A tensor to write: its number type in the format's words, and its shape."""

    kind: str
    shape: tuple[int, ...]


def write(path: Path, columns: Mapping[str, Column], chunks: Iterable[tuple[str, bytes]], about: str) -> None:
    """Write a file whose tensors come in chunks of bytes, each tensor's after those before it.

    Args:
        path: Where; a file there is replaced in one step.
        columns: The tensors in the order in which their bytes lie.
        chunks: A tensor's name and its next bytes.
        about: Text to keep in the header.

    Raises:
        WeightsError: The bytes are more or fewer than the shapes say.
        OSError: It cannot be written.
    """
    staged = path.with_name(f".{path.name}.partial")
    try:
        with staged.open("wb") as file:
            _write(file, columns, chunks, about)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def _write(file: BinaryIO, columns: Mapping[str, Column], chunks: Iterable[tuple[str, bytes]], about: str) -> None:
    widths = {name: width for name, (_, width) in DTYPES.items()}
    record: dict[str, object] = {"__metadata__": {KEY: about}} if about else {}
    starts, place = {}, 0
    for name, (kind, shape) in columns.items():
        starts[name] = place
        place += widths[kind] * torch.Size(shape).numel()
        record[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [starts[name], place]}
    text = json.dumps(record).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    written = dict(starts)
    for name, data in chunks:
        file.seek(8 + len(text) + written[name])
        file.write(data)
        written[name] += len(data)
    ends = [*list(starts.values())[1:], place]
    if list(written.values()) != ends:
        raise WeightsError(f"{file.name} would be cut: tensors end at {list(written.values())}, not at {ends}")


class Mapped:
    """A safetensors file in the address space; its rows are read from the disk when they are looked at.

    Args:
        path: The file.

    Raises:
        WeightsError: It cannot be read, or is no safetensors file.
    """

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                length = length_of(file.read(8), size, name=str(path))
                self.header: Header = header_of(file.read(length), size, name=str(path))
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
        self.about = self.header.metadata.get(KEY, "")
        self._read = 0

    def tensor(self, name: str) -> Tensor:
        """Return a tensor that lies in the file."""
        entry = self.header.entries[name]
        kind = getattr(torch, entry.dtype)
        count = (entry.stop - entry.start) // kind.itemsize
        return torch.frombuffer(self._map, dtype=kind, count=count, offset=entry.start).view(entry.shape)

    def rows(self, tensor: Tensor, places: Tensor) -> Tensor:
        """Return rows of one of its tensors as a copy in memory, and hand back the file's own memory now and then."""
        found = tensor.index_select(0, places)
        self._read += len(places) * max(AROUND, found[:1].numel() * found.element_size())
        if self._read > RESIDENT and hasattr(self._map, "madvise"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._read = 0
        return found
