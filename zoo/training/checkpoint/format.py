"""One checkpoint: a folder of safetensors and sealed JSON, put in its place whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import WeightsError
from zoo.files import atomic
from zoo.files import safetensors as tensors
from zoo.files.checked_json import dump_with_checksum, parse_json, verify_checksum
from zoo.files.paths import read_bytes
from zoo.files.safetensors_header import parse_header, parse_header_length, read_safetensors_bytes
from zoo.files.state_codec import decode_state, encode_state

STATE_FILE, TENSORS_FILE = "state.json", "state.safetensors"
FORMAT = 2
MAX_STATE_BYTES = 256 << 20
"""Largest `state.json` that is read, in bytes: a history of a million epochs."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """All that training had reached at one step.

    Args:
        name: The folder's name.
        metadata: Plain JSON: where training stood, what it was begun with, what it depends on.
        state: All that training changes, as `zoo.training.checkpoint.train_state` took it.
    """

    name: str
    metadata: Mapping[str, Any]
    state: Mapping[str, Any]


def write_checkpoint(folder: Path, metadata: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write a checkpoint; the JSON is sealed and holds the sha256 of the numbers.

    Raises:
        WeightsError: The state holds what cannot be kept.
        OSError: The folder cannot be written; nothing of it is left.
    """
    named: dict[str, Any] = {}
    told = encode_state(state, named)
    numbers = tensors.to_bytes(named, "")
    length = parse_header_length(numbers[:8], len(numbers), name=TENSORS_FILE)
    parse_header(numbers[8 : 8 + length], len(numbers), name=TENSORS_FILE)  # it must be readable again
    record = {"format": FORMAT, **metadata, "state": told, "files": {TENSORS_FILE: hashlib.sha256(numbers).hexdigest()}}
    text = dump_with_checksum(record)
    with atomic.replace_folder(folder) as staged:
        atomic.write_new_file(staged / TENSORS_FILE, numbers)
        atomic.write_new_file(staged / STATE_FILE, text.encode())


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint, every byte of it checked.

    Raises:
        WeightsError: A file is missing, cut, changed, or not one that zoo wrote.
    """
    about = _read_metadata(folder / STATE_FILE)
    numbers = read_safetensors_bytes(folder / TENSORS_FILE)
    if hashlib.sha256(numbers).hexdigest() != about["files"].get(TENSORS_FILE):
        raise WeightsError(f"{folder / TENSORS_FILE} is damaged or was changed: its sha256 is another one")
    named, _ = tensors.from_bytes(numbers, name=folder / TENSORS_FILE)
    state = decode_state(about.pop("state"), named)
    return Checkpoint(name=folder.name, metadata=about, state=state)


def _read_metadata(path: Path) -> dict[str, Any]:
    data = read_bytes(path, limit=MAX_STATE_BYTES)
    record = parse_json(data, name=str(path), limit=MAX_STATE_BYTES)
    if record.get("format") != FORMAT:
        raise WeightsError(f"{path} has format {record.get('format')!r}, this zoo reads {FORMAT}")
    verify_checksum(data.decode(), record.pop("seal", None), name=str(path))
    if not isinstance(record.get("files"), dict) or "state" not in record:
        raise WeightsError(f"{path} is no checkpoint of zoo")
    return record
