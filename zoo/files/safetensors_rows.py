"""A safetensors file larger than memory: written row by row, and read where it lies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple
from weakref import finalize

import torch
from torch import Tensor

from zoo.errors import WeightsError
from zoo.files.safetensors_header import DTYPES, METADATA_KEY, Header, parse_header, parse_header_length


class Column(NamedTuple):
    """A tensor to write: its number type in the format's words, and its shape."""

    dtype: str
    shape: tuple[int, ...]


def write_rows(
    path: Path, columns: Mapping[str, Column], chunks: Iterable[tuple[str, bytes]], metadata_text: str
) -> None:
    """Write a file whose tensors come in chunks of bytes, each tensor's after those before it.

    Args:
        path: Where; a file there is replaced in one step.
        columns: The tensors in the order in which their bytes lie.
        chunks: A tensor's name and its next bytes.
        metadata_text: Text to keep in the header.

    Raises:
        WeightsError: The bytes are more or fewer than the shapes say.
        OSError: It cannot be written.
    """
    staged = path.with_name(f".{path.name}.partial")
    try:
        with staged.open("wb") as file:
            _write_columns(file, columns, chunks, metadata_text)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def _write_columns(
    file: BinaryIO, columns: Mapping[str, Column], chunks: Iterable[tuple[str, bytes]], metadata_text: str
) -> None:
    widths = {name: width for name, (_, width) in DTYPES.items()}
    record: dict[str, object] = {"__metadata__": {METADATA_KEY: metadata_text}} if metadata_text else {}
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


class RowReader:
    """A safetensors file whose rows are read from the disk when they are looked at.

    They are read, not mapped: around each row of a mapped file the system may keep two megabytes resident, and a
    shuffled epoch would soon hold the whole file.

    Args:
        path: The file; it stays open as long as this is used.

    Raises:
        WeightsError: It cannot be read, or is no safetensors file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        try:
            self._file = path.open("rb", buffering=0)
            finalize(self, self._file.close)
            size = os.fstat(self._file.fileno()).st_size
            length = parse_header_length(self._file.read(8), size, name=str(path))
            self.header: Header = parse_header(self._file.read(length), size, name=str(path))
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
        self.metadata_text = self.header.metadata.get(METADATA_KEY, "")

    def read_tensor(self, name: str) -> Tensor:
        """Return a whole tensor, in memory.

        Raises:
            WeightsError: The file has changed since it was opened.
        """
        found = self._allocate(name, self.header.entries[name].shape)
        self._read_into(_as_memoryview(found), self.header.entries[name].start)
        return found

    def read_rows(self, name: str, indices: Tensor) -> Tensor:
        """Return rows of a tensor, int64 (B) to (B, ...); those that follow each other are read at once.

        Raises:
            WeightsError: The file has changed since it was opened.
        """
        entry, chosen = self.header.entries[name], indices.tolist()
        found = self._allocate(name, (len(chosen), *entry.shape[1:]))
        target, width = _as_memoryview(found), (entry.stop - entry.start) // max(entry.shape[0], 1)
        for first, stop in _split_runs(chosen):
            self._read_into(target[first * width : stop * width], entry.start + chosen[first] * width)
        return found

    def _allocate(self, name: str, shape: tuple[int, ...]) -> Tensor:
        return torch.empty(shape, dtype=getattr(torch, self.header.entries[name].dtype))

    def _read_into(self, target: memoryview, offset: int) -> None:
        """Read into memory from a place in the file, wherever other threads and forks are reading."""
        if hasattr(os, "preadv"):
            num = os.preadv(self._file.fileno(), [target], offset)
        else:
            with self._lock:
                self._file.seek(offset)
                num = self._file.readinto(target) or 0
        if num == 0 < len(target):
            raise WeightsError(f"{self._path} has been cut since it was opened")
        if num < len(target):
            self._read_into(target[num:], offset + num)


def _as_memoryview(tensor: Tensor) -> memoryview:
    view: memoryview = tensor.reshape(-1).view(torch.uint8).numpy().data
    return view


def _split_runs(indices: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the parts of a list, first and stop, in which each number is one more than that before it."""
    first = 0
    for stop in range(1, len(indices) + 1):
        if stop == len(indices) or indices[stop] != indices[stop - 1] + 1:
            yield first, stop
            first = stop
