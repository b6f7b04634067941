"""Write and read a safetensors file that is larger than memory, row by row."""

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
    """A tensor to write: its dtype by the name in the format, and its shape."""

    dtype: str
    shape: tuple[int, ...]


def write_rows(
    path: Path, columns: Mapping[str, Column], chunks: Iterable[tuple[str, bytes]], metadata_text: str
) -> None:
    """Write a file whose tensors come in chunks of bytes.

    Args:
        path: The file; an existing one is replaced in one step.
        columns: The tensors, in the order of their bytes in the file.
        chunks: Pairs of a tensor's name and its next bytes.
        metadata_text: Text for the metadata of the header.

    Raises:
        WeightsError: There are more or fewer bytes than the shapes say.
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
    starts, offset = {}, 0
    for name, (dtype, shape) in columns.items():
        starts[name] = offset
        offset += widths[dtype] * torch.Size(shape).numel()
        record[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [starts[name], offset]}
    text = json.dumps(record).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    positions = dict(starts)
    for name, data in chunks:
        file.seek(8 + len(text) + positions[name])
        file.write(data)
        positions[name] += len(data)
    ends = [*list(starts.values())[1:], offset]
    if list(positions.values()) != ends:
        raise WeightsError(f"{file.name} is incomplete: tensors end at {list(positions.values())}, not at {ends}")


class RowReader:
    """A safetensors file whose rows are read from disk on access.

    Rows are read, not memory-mapped: the system may keep two megabytes in memory around each row of a mapped file, and
    a shuffled epoch would soon fill memory with the whole file.

    Args:
        path: The file; it stays open as long as the reader exists.

    Raises:
        WeightsError: It cannot be read, or is not a safetensors file.
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
        """Return a whole tensor.

        Raises:
            WeightsError: The file has changed since it was opened.
        """
        tensor = self._allocate(name, self.header.entries[name].shape)
        self._read_into(_as_memoryview(tensor), self.header.entries[name].start)
        return tensor

    def read_rows(self, name: str, indices: Tensor) -> Tensor:
        """Return rows of a tensor, (B, ...), for indices int64 (B); consecutive rows are read at once.

        Raises:
            WeightsError: The file has changed since it was opened.
        """
        entry, rows = self.header.entries[name], indices.tolist()
        tensor = self._allocate(name, (len(rows), *entry.shape[1:]))
        target, width = _as_memoryview(tensor), (entry.stop - entry.start) // max(entry.shape[0], 1)
        for first, stop in _split_runs(rows):
            self._read_into(target[first * width : stop * width], entry.start + rows[first] * width)
        return tensor

    def _allocate(self, name: str, shape: tuple[int, ...]) -> Tensor:
        return torch.empty(shape, dtype=getattr(torch, self.header.entries[name].dtype))

    def _read_into(self, target: memoryview, offset: int) -> None:
        """Fill memory from an offset of the file; safe while other threads and forks read."""
        if hasattr(os, "preadv"):
            num = os.preadv(self._file.fileno(), [target], offset)
        else:
            with self._lock:
                self._file.seek(offset)
                num = self._file.readinto(target) or 0
        if num == 0 < len(target):
            raise WeightsError(f"{self._path} has become shorter since it was opened")
        if num < len(target):
            self._read_into(target[num:], offset + num)


def _as_memoryview(tensor: Tensor) -> memoryview:
    view: memoryview = tensor.reshape(-1).view(torch.uint8).numpy().data
    return view


def _split_runs(indices: list[int]) -> Iterator[tuple[int, int]]:
    """Yield first and stop of each part of a list in which each number is one more than the one before."""
    first = 0
    for stop in range(1, len(indices) + 1):
        if stop == len(indices) or indices[stop] != indices[stop - 1] + 1:
            yield first, stop
            first = stop
