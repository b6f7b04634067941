"""Write a saved model with its tensors as one folder, and read it back."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from zoo.errors import WeightsError, join_names
from zoo.files import atomic
from zoo.files import safetensors as tensors
from zoo.files.paths import resolve_path
from zoo.saving import folder
from zoo.saving.bundled import get_reference
from zoo.saving.card import render_card
from zoo.saving.card_merge import merge_cards
from zoo.saving.folder import CARD, CONFIG, FILES, HISTORY, RUN, WEIGHTS
from zoo.saving.history import History
from zoo.saving.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """The content of the folder of a saved model.

    Args:
        manifest: Everything but tensors and history.
        state: The tensors by name.
        history: One row per epoch.
        card: The text of the README.md that was read with the model.
        reference: What a new card says to pass to `zoo.load`.
    """

    manifest: Manifest
    state: Mapping[str, Tensor]
    history: History
    card: str = ""
    reference: str = ""


def collect_versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {"zoo-models": version("zoo-models"), "torch": torch.__version__, "python": platform.python_version()}


def write_artifact(path: Path, artifact: Artifact) -> Path:
    """Write an artifact as a folder, whole or not at all, and return its path.

    A saved model at that path is replaced. Other files in the folder stay, and so does text on its card outside zoo's
    marks.

    Raises:
        BusyError: Another process still writes the folder after five seconds.
        WeightsError: The folder cannot be written, or is not a saved model.
    """
    target = resolve_path(path)
    try:
        with atomic.replace_folder(target) as staged:
            _check_replaceable(target)
            card, reference = _read_card(target) or artifact.card, artifact.reference or get_reference(path)
            for name, data in build_files(replace(artifact, card=card, reference=reference)).items():
                atomic.write_new_file(staged / name, data)
            _copy_other_files(target, staged)
    except OSError as error:
        raise WeightsError(f"cannot save to {target}: {error.strerror or error}") from error
    return target


def _check_replaceable(target: Path) -> None:
    """Raise if a path is neither free, nor an empty folder, a saved model or a run; anything else is never replaced."""
    if not target.exists():
        return
    is_empty = target.is_dir() and not any(target.iterdir())
    is_from_zoo = ((target / CONFIG).is_file() and (target / HISTORY).is_file()) or (target / RUN).is_file()
    if not is_empty and not is_from_zoo:
        raise WeightsError(f"{target} exists and is not a saved model; save to another path")


def build_files(artifact: Artifact) -> dict[str, bytes]:
    """Return the bytes of each file by name; the manifest comes last, with the sha256 of the others.

    Raises:
        WeightsError: There are more tensors than the header of a file can describe, or a value that JSON cannot store.
    """
    try:
        return _build_files_unchecked(artifact)
    except WeightsError:
        raise
    except (TypeError, ValueError) as error:
        reason = f"its history, classes or scores have a value that JSON cannot store: {error}"
        raise WeightsError(f"{artifact.manifest.model} cannot be saved: {reason}") from error


def _build_files_unchecked(artifact: Artifact) -> dict[str, bytes]:
    state = tensors.to_plain_tensors(artifact.state)
    manifest = replace(
        artifact.manifest, tensors=tensors.describe_tensors(state), versions=collect_versions(), files={}
    )
    weights = tensors.to_bytes(state, manifest.to_json())
    folder.parse_embedded_manifest(weights, name=WEIGHTS)
    hashed = {WEIGHTS: weights, HISTORY: artifact.history.to_jsonl().encode()}
    card = merge_cards(render_card(manifest, artifact.history, artifact.reference), artifact.card)
    manifest = replace(manifest, files=folder.hash_files(hashed))
    return {**hashed, CARD: card.encode(), CONFIG: manifest.to_json().encode()}


def _read_card(target: Path) -> str:
    """Return the card of an existing folder, which people may have edited; empty if there is none."""
    return (target / CARD).read_text("utf-8", "replace") if (target / CARD).is_file() else ""


def _copy_other_files(target: Path, staged: Path) -> None:
    """Copy what is in a folder besides zoo's files to the folder that replaces it."""
    for path in target.iterdir() if target.is_dir() else ():
        is_folder = path.is_dir() and not path.is_symlink()
        if path.name in FILES and not is_folder:
            continue
        if is_folder:
            shutil.copytree(path, staged / path.name, symlinks=True, copy_function=_link_or_copy)
        else:
            _link_or_copy(path, staged / path.name)


def _link_or_copy(path: str | os.PathLike[str], copy: str | os.PathLike[str]) -> None:
    """Make a hard link to a file, or copy it if the file system has no links."""
    try:
        os.link(path, copy, follow_symlinks=False)
    except OSError:
        shutil.copy2(path, copy, follow_symlinks=False)


def read_artifact(path: Path, *, allow_nonfinite: bool = False) -> Artifact:
    """Read a saved model, or its weights file alone; every byte is checked against the manifest.

    Args:
        path: The folder, or its `model.safetensors`.
        allow_nonfinite: Accept NaN and infinite values.

    Raises:
        WeightsError: There is no such folder; a file is missing, damaged, or not the one in the manifest; or a tensor
            has NaN or infinite values.
    """
    files = folder.read_model_files(path)
    state, _ = tensors.from_bytes(files.weights, name=path)
    if not allow_nonfinite:
        check_finite(state, name=str(path))
    history = History.from_jsonl(files.history, name=path / HISTORY)
    history.stopped = files.manifest.stopped
    return Artifact(manifest=files.manifest, state=state, history=history, card=files.card)


def check_finite(state: Mapping[str, Tensor], *, name: str) -> None:
    """Raise if a tensor has NaN or infinite values.

    Raises:
        WeightsError: It has; the message names the tensors.
    """
    nonfinite = [
        key for key, each in state.items() if each.is_floating_point() and not bool(torch.isfinite(each).all())
    ]
    if nonfinite:
        raise WeightsError(
            f"{name}: {join_names(nonfinite, 6)} has NaN or infinite values; allow_nonfinite=True loads it anyway"
        )
