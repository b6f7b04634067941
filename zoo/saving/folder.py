"""Read the folder of a saved model: its file names, and checks that its files are whole and belong together.

No torch here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import WeightsError
from zoo.files.checked_json import MAX_JSON_BYTES
from zoo.files.paths import expand_path, read_bytes, read_consistently
from zoo.files.safetensors_header import METADATA_KEY, Header, parse_header, parse_header_length, read_safetensors_bytes
from zoo.saving.manifest import Manifest

CONFIG, WEIGHTS, HISTORY, CARD = "config.json", "model.safetensors", "history.jsonl", "README.md"
RUN, CHECKPOINTS = "run.json", "checkpoints"
"""What a training run adds to its folder: its state, and the folder of its checkpoints."""
FILES = (CONFIG, WEIGHTS, HISTORY, CARD)
"""The files of a saved model: all that zoo writes, reads, pushes and pulls."""
MAX_HISTORY_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """The checked files of a saved model: manifest, bytes of the weights, text of the history and of the card."""

    manifest: Manifest
    weights: bytes
    history: str = ""
    card: str = ""


def read_model_files(path: Path) -> ModelFiles:
    """Read a saved model, or its weights file alone; every file is checked against the manifest.

    If another process replaces the folder, it is read as it is before or after, never a mixture.

    Raises:
        WeightsError: There is no such folder or file; or a file is missing, damaged, too large, or not the one in the
            manifest.
    """
    return read_consistently(expand_path(path), _read_path)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder; only `config.json` is read.

    Raises:
        WeightsError: It is missing or damaged.
    """
    path = folder / CONFIG
    return Manifest.from_json(read_bytes(path, limit=MAX_JSON_BYTES), name=str(path))


def _read_path(path: Path) -> ModelFiles:
    if path.is_file():
        return _read_weights_file(path)
    if not path.is_dir():
        raise WeightsError(f"there is no folder {path}")
    return _read_folder(path)


def _read_folder(folder: Path) -> ModelFiles:
    manifest = read_manifest(folder)
    for name in (WEIGHTS, HISTORY):
        if name not in manifest.files:
            raise WeightsError(f"{folder / CONFIG} does not name {name}")
    weights = read_safetensors_bytes(folder / WEIGHTS)
    history = read_bytes(folder / HISTORY, limit=MAX_HISTORY_BYTES)
    for name, data in ((WEIGHTS, weights), (HISTORY, history)):
        _check_hash(folder / name, data, manifest.files[name])
    header, embedded = parse_embedded_manifest(weights, name=str(folder / WEIGHTS))
    if embedded != manifest.without_files():
        raise WeightsError(f"{folder / CONFIG} and the header of {WEIGHTS} describe two different models")
    _check_entries(header, manifest, folder / WEIGHTS)
    return ModelFiles(
        manifest=manifest, weights=weights, history=history.decode("utf-8", "replace"), card=_read_card(folder / CARD)
    )


def _read_card(path: Path) -> str:
    """Return the text of the card; it is not hashed, since people edit it."""
    return read_bytes(path, limit=MAX_JSON_BYTES).decode("utf-8", "replace") if path.is_file() else ""


def _read_weights_file(path: Path) -> ModelFiles:
    weights = read_safetensors_bytes(path)
    header, manifest = parse_embedded_manifest(weights, name=str(path))
    _check_entries(header, manifest, path)
    for key, entry in header.entries.items():
        if hashlib.sha256(weights[entry.start : entry.stop]).hexdigest() != manifest.tensors[key]["sha256"]:
            raise WeightsError(f"{path} is damaged or was changed: {key} does not have the sha256 in its header")
    return ModelFiles(manifest=manifest, weights=weights)


def parse_embedded_manifest(weights: bytes, *, name: str) -> tuple[Header, Manifest]:
    """Return the header of a weights file, and the manifest in it.

    Raises:
        WeightsError: The header or the manifest is damaged, or zoo did not write the file.
    """
    length = parse_header_length(weights[:8], len(weights), name=name)
    header = parse_header(weights[8 : 8 + length], len(weights), name=name)
    if METADATA_KEY not in header.metadata:
        raise WeightsError(f"{name} has no manifest in its header; zoo did not save it")
    return header, Manifest.from_json(header.metadata[METADATA_KEY], name=f"the manifest in the header of {name}")


def _check_entries(header: Header, manifest: Manifest, path: Path) -> None:
    actual = {key: (entry.dtype, list(entry.shape)) for key, entry in header.entries.items()}
    expected = {key: (entry["dtype"], entry["shape"]) for key, entry in manifest.tensors.items()}
    if actual != expected:
        raise WeightsError(f"{path} is damaged: its tensors are not those in its manifest")


def _check_hash(path: Path, data: bytes, expected: str) -> None:
    actual = hashlib.sha256(data).hexdigest()
    if actual != expected:
        raise WeightsError(
            f"{path} is damaged or was changed: its sha256 is {actual[:12]}…, the manifest says {expected[:12]}…"
        )


def hash_files(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the sha256 of each file's bytes by name."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
