"""Parse the header of a safetensors file, and check every byte of it before anything else is read. No torch here."""

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
"""The key of zoo's text in the metadata of a header; in the weights of a model it is the manifest."""
MAX_HEADER_BYTES = 1 << 20
"""Largest header that is parsed, in bytes: 1 MiB is enough for more than 3,000 tensors with their hashes."""
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
"""Dtypes that zoo reads: name in the format, name in torch, and bytes per value."""
MAX_HEADER_PARTS = 60_000
"""Largest number of braces, brackets and commas, checked before parsing; a tensor with its hash has fewer than 20."""
MAX_DIMS = 64
"""Largest number of axes of a tensor in torch."""
MAX_NAME_LENGTH = 1000
"""Longest name of a tensor, in characters."""


@dataclass(frozen=True, kw_only=True)
class TensorEntry:
    """One tensor of a file: its dtype in torch, its shape, and the offsets of its first byte and behind its last."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """The tensors and the metadata of a file, by name."""

    entries: Mapping[str, TensorEntry]
    metadata: Mapping[str, str]


def parse_header_length(head: bytes, size: int, *, name: str) -> int:
    """Return the length of a header in bytes.

    Args:
        head: The first 8 bytes of the file.
        size: Size of the file in bytes.
        name: The file, for messages.

    Raises:
        WeightsError: The file ends before its header does, or the header is larger than `MAX_HEADER_BYTES`.
    """
    length = int.from_bytes(head[:8], "little")
    if len(head) >= 8 and length > MAX_HEADER_BYTES:
        raise WeightsError(f"{name} has a header of {length} bytes; zoo reads at most {MAX_HEADER_BYTES}")
    if len(head) < 8 or 8 + length > size:
        raise WeightsError(f"{name} is damaged: it ends before its header does ({size} bytes)")
    return length


def parse_header(text: bytes, size: int, *, name: str) -> Header:
    """Parse a header, and check that its tensors fill the file without a gap.

    Args:
        text: The JSON of the header.
        size: Size of the file in bytes.
        name: The file, for messages.

    Raises:
        WeightsError: The header is damaged, its tensors do not fill the file, or one has an unknown dtype or another
            size than its shape says.
    """
    if not text.startswith(b"{"):
        raise WeightsError(f"{name} is damaged, or not a safetensors file: its header is not a JSON object")
    if sum(map(text.count, (b"{", b"[", b","))) > MAX_HEADER_PARTS:
        raise WeightsError(f"{name} has a header of more than {MAX_HEADER_PARTS} parts, the limit of zoo")
    try:
        record = parse_json(text, name="its header")
    except WeightsError as error:
        raise WeightsError(f"{name} is damaged: {error}") from error
    metadata = record.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise WeightsError(f"{name} is damaged: its metadata is not a mapping of text")
    begin = 8 + len(text)
    entries = {key: _parse_entry(key, value, begin, name) for key, value in record.items()}
    offset = begin
    for key, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start != offset:
            raise WeightsError(f"{name} is damaged: {key!r} begins at byte {entry.start}, not at {offset}")
        offset = entry.stop
    if offset != size:
        raise WeightsError(f"{name} is damaged: it is {size} bytes, and its header describes {offset}")
    if not entries:
        raise WeightsError(f"{name} contains no tensors")
    return Header(entries=entries, metadata=metadata)


def _parse_entry(key: str, value: Any, begin: int, name: str) -> TensorEntry:
    if not 0 < len(key) <= MAX_NAME_LENGTH or not key.isprintable() or "/" in key or "\\" in key:
        raise WeightsError(f"{name} is damaged: {key[:80]!r} is not a name of a tensor")
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise WeightsError(f"{name} is damaged: {key!r} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise WeightsError(f"{name}: {key!r} has dtype {str(dtype)[:20]!r}, which zoo does not read")
    if not _is_count_list(shape) or not _is_count_list(offsets) or len(offsets) != 2:
        raise WeightsError(f"{name} is damaged: shape and offsets of {key!r} are not whole numbers from 0 up")
    if len(shape) > MAX_DIMS:
        raise WeightsError(f"{name} is damaged: {key!r} has {len(shape)} axes; a tensor has at most {MAX_DIMS}")
    torch_dtype, width = DTYPES[dtype]
    if math.prod(shape) * width != offsets[1] - offsets[0]:
        raise WeightsError(f"{name} is damaged: {key!r} is {dtype} {shape}, and has {offsets[1] - offsets[0]} bytes")
    return TensorEntry(dtype=torch_dtype, shape=tuple(shape), start=begin + offsets[0], stop=begin + offsets[1])


def _is_count_list(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 1 << 62 for value in values)


def read_safetensors_bytes(path: Path) -> bytes:
    """Return the bytes of a safetensors file, after checking its header.

    Raises:
        WeightsError: It cannot be read, or its header is damaged, too large, or describes another size.
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
