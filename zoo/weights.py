"""The one folder shape: `config.json`, `model.safetensors`, `history.jsonl`, `README.md`. Find, write, read."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from zoo import tensors
from zoo.card import card_text
from zoo.errors import WeightsError, listed
from zoo.history import History
from zoo.manifest import Manifest

SHIPPED = ("zoo_weights", "weights")
"""Beside the package: where a wheel puts the weights, and where a checkout has them."""
CONFIG, WEIGHTS, HISTORY, CARD = "config.json", "model.safetensors", "history.jsonl", "README.md"


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What a folder holds: the manifest, the tensors by name, and the history."""

    manifest: Manifest
    state: Mapping[str, Tensor]
    history: History


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {"zoo-models": version("zoo-models"), "torch": torch.__version__, "python": platform.python_version()}


def write(folder: Path, artifact: Artifact) -> Path:
    """Write an artifact as a folder: whole or not at all. What was there under that name is replaced.

    Raises:
        WeightsError: The folder cannot be written, or is something else than a saved model.
    """
    target = folder.expanduser().absolute()
    staged = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        if target.exists() and not _is_replaceable(target):
            raise WeightsError(f"{target} is there and is no saved model; save to another place")
        staged.mkdir(parents=True)
        for name, data in _contents(artifact).items():
            _write_through(staged / name, data)
        _put_in_place(staged, target)
    except OSError as error:
        raise WeightsError(f"cannot save to {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return target


def _is_replaceable(target: Path) -> bool:
    return target.is_dir() and ((target / CONFIG).is_file() or not any(target.iterdir()))


def _contents(artifact: Artifact) -> dict[str, bytes]:
    """Return each file's bytes; the manifest comes last, with the others' sha256."""
    described = {
        name: {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape)}
        for name, tensor in artifact.state.items()
    }
    manifest = replace(artifact.manifest, tensors=described, versions=versions())
    others = {
        WEIGHTS: tensors.to_bytes(artifact.state, manifest.to_json()),
        HISTORY: artifact.history.to_jsonl().encode(),
        CARD: card_text(manifest, artifact.history).encode(),
    }
    hashed = {name: hashlib.sha256(data).hexdigest() for name, data in others.items() if name != CARD}
    return {**others, CONFIG: replace(manifest, files=hashed).to_json().encode()}


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(staged: Path, target: Path) -> None:
    if not target.exists():
        staged.rename(target)
        return
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    target.rename(old)
    staged.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def shipped() -> dict[str, Path]:
    """Return the folders of the weights that ship with zoo, by reference `model/tag`."""
    beside = Path(__file__).parent.parent
    found = [path.parent for root in SHIPPED for path in sorted((beside / root).glob(f"*/*/{CONFIG}"))]
    return {f"{folder.parent.name}/{folder.name}": folder for folder in found}


def read(folder: Path) -> Artifact:
    """Read a folder that `write` wrote; every file is checked against the manifest.

    Raises:
        WeightsError: There is no such folder, a file is missing, damaged, or not the one the manifest names.
    """
    place = folder.expanduser()
    if not place.is_dir():
        raise WeightsError(f"no folder {place}")
    manifest = Manifest.from_json(_bytes(place / CONFIG), name=str(place / CONFIG))
    for name in (WEIGHTS, HISTORY):
        if name not in manifest.files:
            raise WeightsError(f"{place / CONFIG} does not name {name}")
    checked = {name: _checked(place / name, manifest.files[name]) for name in (WEIGHTS, HISTORY)}
    state, _ = tensors.from_bytes(checked[WEIGHTS], name=place / WEIGHTS)
    history = History.from_jsonl(checked[HISTORY].decode("utf-8", "replace"), name=place / HISTORY)
    history.stopped = manifest.stopped
    return Artifact(manifest=manifest, state=state, history=history)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error


def _checked(path: Path, sha256: str) -> bytes:
    data = _bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise WeightsError(
            f"{path} is damaged or was changed: its sha256 is {found[:12]}…, the manifest says {str(sha256)[:12]}…"
        )
    return data


def check_fit(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], *, name: str) -> None:
    """Raise unless the tensors have the names, shapes and types of the model's, and are finite."""
    missing, strange = sorted(set(expected) - set(state)), sorted(set(state) - set(expected))
    if missing or strange:
        told = [
            f"{what} {listed(names, 6)}" for what, names in (("missing", missing), ("unexpected", strange)) if names
        ]
        raise WeightsError(f"{name} does not fit the model: {'; '.join(told)}")
    for key, tensor in state.items():
        wanted = expected[key]
        if tensor.shape != wanted.shape:
            raise WeightsError(
                f"{name}: {key} is {tuple(tensor.shape)} in the file and {tuple(wanted.shape)} in the model"
            )
        if tensor.dtype != wanted.dtype:
            raise WeightsError(f"{name}: {key} is {tensor.dtype} in the file and {wanted.dtype} in the model")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{name}: {key} holds NaN or infinite values")
