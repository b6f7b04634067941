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
from zoo.files.checked_json import parsed
from zoo.files.safetensors_header import header_of, length_of
from zoo.files.seal import check_seal, sealed
from zoo.files.state_codec import apart, together
from zoo.saving.folder import bytes_of, weights_bytes

STATE, NUMBERS = "state.json", "state.safetensors"
FORMAT = 2
MAX_STATE = 256 << 20
"""Largest `state.json` that is read, in bytes: a history of a million epochs."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """All that training had reached at one step.

    Args:
        name: The folder's name.
        about: Plain JSON: where training stood, what it was begun with, what it depends on.
        state: All that training changes, as `zoo.training.checkpoint.train_state` took it.
    """

    name: str
    about: Mapping[str, Any]
    state: Mapping[str, Any]


def write(folder: Path, about: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write a checkpoint; the JSON is sealed and holds the sha256 of the numbers.

    Raises:
        WeightsError: The state holds what cannot be kept.
        OSError: The folder cannot be written; nothing of it is left.
    """
    named: dict[str, Any] = {}
    told = apart(state, named)
    numbers = tensors.to_bytes(named, "")
    length = length_of(numbers[:8], len(numbers), name=NUMBERS)
    header_of(numbers[8 : 8 + length], len(numbers), name=NUMBERS)  # it must be readable again
    record = {"format": FORMAT, **about, "state": told, "files": {NUMBERS: hashlib.sha256(numbers).hexdigest()}}
    text = sealed(record)
    with atomic.replacing(folder) as staged:
        atomic.write(staged / NUMBERS, numbers)
        atomic.write(staged / STATE, text.encode())


def read(folder: Path) -> Checkpoint:
    """Read a checkpoint, every byte of it checked.

    Raises:
        WeightsError: A file is missing, cut, changed, or not one that zoo wrote.
    """
    about = _about(folder / STATE)
    numbers = weights_bytes(folder / NUMBERS)
    if hashlib.sha256(numbers).hexdigest() != about["files"].get(NUMBERS):
        raise WeightsError(f"{folder / NUMBERS} is damaged or was changed: its sha256 is another one")
    named, _ = tensors.from_bytes(numbers, name=folder / NUMBERS)
    state = together(about.pop("state"), named)
    return Checkpoint(name=folder.name, about=about, state=state)


def _about(path: Path) -> dict[str, Any]:
    data = bytes_of(path, limit=MAX_STATE)
    record = parsed(data, name=str(path), limit=MAX_STATE)
    if record.get("format") != FORMAT:
        raise WeightsError(f"{path} has format {record.get('format')!r}, this zoo reads {FORMAT}")
    check_seal(data.decode(), record.pop("seal", None), name=str(path))
    if not isinstance(record.get("files"), dict) or "state" not in record:
        raise WeightsError(f"{path} is no checkpoint of zoo")
    return record
