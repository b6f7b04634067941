"""The header of a safetensors file, checked to the last byte before anything else is read. No torch here."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import WeightsError
from zoo.files.checked_json import parse_json
from zoo.files.paths import open_regular_file

METADATA_KEY = "zoo"
"""The one entry of the metadata in the header of the weights: the manifest."""
MAX_HEADER_BYTES = 1 << 20
"""Largest header that is parsed, in bytes: 1 MiB describes more than 3,000 tensors with their hashes."""
DTYPES = {
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "I16": ("int16", 2),
    "I32": ("int32", 4),
    "I64": ("int64", 8),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "F32": ("float32", 4),
    "F64": ("float64", 8),
}
"""Types zoo reads: the format's name, torch's name, and bytes a value."""
MAX_HEADER_PARTS = 60_000
"""Most braces, brackets and commas, counted before a header is parsed: a tensor and its hash take less than 20."""
MAX_DIMS = 64
"""As many as a tensor of torch can have."""
MAX_NAME_LENGTH = 1000
"""Longest name of a tensor, in letters."""


@dataclass(frozen=True, kw_only=True)
class TensorEntry:
    """One tensor of a file: torch's name of its type, its shape, and where its bytes lie in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says it holds."""

    entries: Mapping[str, TensorEntry]
    metadata: Mapping[str, str]


def parse_header_length(head: bytes, size: int, *, name: str) -> int:
    """Return the header's length in bytes, from the first 8 bytes of a file of `size` bytes.

    Raises:
        WeightsError: The file ends before its header does, or the header is larger than `MAX_HEADER`.
    """
    length = int.from_bytes(head[:8], "little")
    if len(head) >= 8 and length > MAX_HEADER_BYTES:
        raise WeightsError(f"{name} has a header of {length} bytes; zoo reads at most {MAX_HEADER_BYTES}")
    if len(head) < 8 or 8 + length > size:
        raise WeightsError(f"{name} is damaged: it ends before its header does ({size} bytes)")
    return length


def parse_header(text: bytes, size: int, *, name: str) -> Header:
    """Return the header whose JSON is `text`, of a file of `size` bytes, after checking that it describes it wholly.

    Raises:
        WeightsError: The tensors do not fill the file without a gap, or one has an unknown type or an unfit shape.
    """
    if not text.startswith(b"{"):
        raise WeightsError(f"{name} is damaged, or no safetensors file: its header is no JSON object")
    if sum(map(text.count, (b"{", b"[", b","))) > MAX_HEADER_PARTS:
        raise WeightsError(f"{name} has a header of more than {MAX_HEADER_PARTS} parts; zoo reads no more")
    try:
        record = parse_json(text, name="its header")
    except WeightsError as error:
        raise WeightsError(f"{name} is damaged: {error}") from error
    metadata = record.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise WeightsError(f"{name} is damaged: its metadata is not text by name")
    begin = 8 + len(text)
    entries = {key: _parse_entry(key, value, begin, name) for key, value in record.items()}
    place = begin
    for key, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start != place:
            raise WeightsError(f"{name} is damaged: {key!r} begins at byte {entry.start}, not at {place}")
        place = entry.stop
    if place != size:
        raise WeightsError(f"{name} is damaged: it is {size} bytes, and its header describes {place}")
    if not entries:
        raise WeightsError(f"{name} holds no tensors")
    return Header(entries=entries, metadata=metadata)


def _parse_entry(key: str, value: Any, begin: int, name: str) -> TensorEntry:
    if not 0 < len(key) <= MAX_NAME_LENGTH or not key.isprintable() or "/" in key or "\\" in key:
        raise WeightsError(f"{name} is damaged: {key[:80]!r} is no name of a tensor")
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise WeightsError(f"{name} is damaged: {key!r} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise WeightsError(f"{name}: {key!r} has type {str(dtype)[:20]!r}, which zoo does not read")
    if not _is_count_list(shape) or not _is_count_list(offsets) or len(offsets) != 2:
        raise WeightsError(f"{name} is damaged: shape and offsets of {key!r} are not whole numbers from 0 up")
    if len(shape) > MAX_DIMS:
        raise WeightsError(f"{name} is damaged: {key!r} has {len(shape)} axes; a tensor has at most {MAX_DIMS}")
    kind, width = DTYPES[dtype]
    if math.prod(shape) * width != offsets[1] - offsets[0]:
        raise WeightsError(f"{name} is damaged: {key!r} is {dtype} {shape}, and has {offsets[1] - offsets[0]} bytes")
    return TensorEntry(dtype=kind, shape=tuple(shape), start=begin + offsets[0], stop=begin + offsets[1])


def _is_count_list(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 1 << 62 for value in values)


def read_safetensors_bytes(path: Path) -> bytes:
    """Return a safetensors file's bytes, after its header was checked against its size.

    Raises:
        WeightsError: It cannot be read, or its header is damaged, too large or describes another size.
    """
    try:
        with open_regular_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(8)
            text = file.read(parse_header_length(head, size, name=str(path)))
            parse_header(text, size, name=str(path))
            data = head + text + file.read()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) != size:
        raise WeightsError(f"{path} changed while it was read")
    return data
