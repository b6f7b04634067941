"""Write and read one checkpoint: a folder with a safetensors file and checksummed JSON, replaced as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import WeightsError
from zoo.files import safetensors
from zoo.files.atomic import replace_folder, write_new_file
from zoo.files.checked_json import dump_with_checksum, parse_json, verify_checksum
from zoo.files.paths import read_bytes
from zoo.files.safetensors_header import parse_header, parse_header_length, read_safetensors_bytes
from zoo.files.state_codec import decode_state, encode_state

STATE_FILE, TENSORS_FILE = "state.json", "state.safetensors"
# How to raise FORMAT:
# 1. Raise it only if this zoo can no longer resume from the checkpoints of the one before: a key of `capture` or of a
#    `state_dict` is gone or has another meaning, or a callback class has another name. A new key with a default in
#    `restore` needs no new format.
# 2. Add 1 to FORMAT. An older zoo then refuses the checkpoint with a clear message.
# 3. To still resume from the format before, accept it in `_read_metadata` and convert it in `read_checkpoint`, so that
#    `restore` only knows the newest keys. Otherwise say in the changelog that running trainings must finish first.
# 4. Keep the old folders in `tests/fixtures/previous`, and add one that the new format wrote.
FORMAT = 2
MAX_STATE_BYTES = 256 << 20
"""Largest `state.json` that is read, in bytes: enough for a history of a million epochs."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a training at one step.

    Args:
        name: Name of the checkpoint's folder.
        metadata: Plain JSON: the model's name, the model at the start of the run, the fingerprint of the run, and the
            best epoch.
        state: Everything that training changes, as returned by `zoo.training.checkpoint.train_state.capture`.
    """

    name: str
    metadata: Mapping[str, Any]
    state: Mapping[str, Any]


def write_checkpoint(folder: Path, metadata: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write a checkpoint; the JSON has its own checksum and the sha256 of the tensors file.

    Raises:
        WeightsError: The state holds a value that cannot be stored.
        OSError: The folder cannot be written; nothing of it is left.
    """
    tensors_by_name: dict[str, Any] = {}
    state_json = encode_state(state, tensors_by_name)
    data = safetensors.to_bytes(tensors_by_name, "")
    length = parse_header_length(data[:8], len(data), name=TENSORS_FILE)
    parse_header(data[8 : 8 + length], len(data), name=TENSORS_FILE)  # it must be readable again
    files = {TENSORS_FILE: hashlib.sha256(data).hexdigest()}
    text = dump_with_checksum({"format": FORMAT, **metadata, "state": state_json, "files": files})
    with replace_folder(folder) as staged:
        write_new_file(staged / TENSORS_FILE, data)
        write_new_file(staged / STATE_FILE, text.encode())


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint and verify every byte of it.

    Raises:
        WeightsError: A file is missing, truncated or changed, or zoo did not write it.
    """
    metadata = _read_metadata(folder / STATE_FILE)
    data = read_safetensors_bytes(folder / TENSORS_FILE)
    if hashlib.sha256(data).hexdigest() != metadata["files"].get(TENSORS_FILE):
        raise WeightsError(f"{folder / TENSORS_FILE} is damaged or was changed: its sha256 is another one")
    tensors_by_name, _ = safetensors.from_bytes(data, name=folder / TENSORS_FILE)
    state = decode_state(metadata.pop("state"), tensors_by_name)
    return Checkpoint(name=folder.name, metadata=metadata, state=state)


def _read_metadata(path: Path) -> dict[str, Any]:
    data = read_bytes(path, limit=MAX_STATE_BYTES)
    record = parse_json(data, name=str(path), limit=MAX_STATE_BYTES)
    if record.get("format") != FORMAT:
        raise WeightsError(f"{path} has format {record.get('format')!r}, this zoo reads {FORMAT}")
    verify_checksum(data.decode(), record.pop("seal", None), name=str(path))
    if not isinstance(record.get("files"), dict) or "state" not in record:
        raise WeightsError(f"{path} is not a checkpoint of zoo")
    return record
