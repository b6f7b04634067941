"""A saved model with its tensors: written as the one folder shape, and read back."""

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
from zoo.history import History
from zoo.saving import folder
from zoo.saving.bundled import get_reference
from zoo.saving.card import render_card
from zoo.saving.card_merge import merge_cards
from zoo.saving.folder import CARD, CONFIG, FILES, HISTORY, RUN, WEIGHTS
from zoo.saving.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What a folder holds: the manifest, the tensors by name, the history, and the card as people left it.

    `reference` is what a card written from it says to give to `zoo.load`.
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
    """Write an artifact as a folder: whole or not at all. A saved model under that name is replaced.

    What people put beside zoo's files stays, and so does what they wrote on the card outside zoo's marks.

    Raises:
        BusyError: Another process still writes there after five seconds.
        WeightsError: The folder cannot be written, or is something else than a saved model.
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
    """Raise if there is something else than an empty folder, a saved model or a run of zoo; that is never touched."""
    if not target.exists():
        return
    is_empty = target.is_dir() and not any(target.iterdir())
    is_ours = ((target / CONFIG).is_file() and (target / HISTORY).is_file()) or (target / RUN).is_file()
    if not is_empty and not is_ours:
        raise WeightsError(f"{target} is there and is no saved model; save to another place")


def build_files(artifact: Artifact) -> dict[str, bytes]:
    """Return each file's bytes; the manifest comes last, with the others' sha256.

    Raises:
        WeightsError: It has more tensors than the header of a file can describe, or holds what JSON cannot.
    """
    try:
        return _build_files_unchecked(artifact)
    except WeightsError:
        raise
    except (TypeError, ValueError) as error:
        told = f"its history, classes or scores hold what JSON cannot: {error}"
        raise WeightsError(f"{artifact.manifest.model} cannot be saved: {told}") from error


def _build_files_unchecked(artifact: Artifact) -> dict[str, bytes]:
    state = tensors.to_plain_tensors(artifact.state)
    manifest = replace(
        artifact.manifest, tensors=tensors.describe_tensors(state), versions=collect_versions(), files={}
    )
    weights = tensors.to_bytes(state, manifest.to_json())
    folder.parse_embedded_manifest(weights, name=WEIGHTS)
    hashed = {WEIGHTS: weights, HISTORY: artifact.history.to_jsonl().encode()}
    card = merge_cards(render_card(manifest, artifact.history, artifact.reference), artifact.card)
    whole = replace(manifest, files=folder.hash_files(hashed))
    return {**hashed, CARD: card.encode(), CONFIG: whole.to_json().encode()}


def _read_card(target: Path) -> str:
    """Return the card that lies there, which people may have written on."""
    return (target / CARD).read_text("utf-8", "replace") if (target / CARD).is_file() else ""


def _copy_other_files(target: Path, staged: Path) -> None:
    for path in target.iterdir() if target.is_dir() else ():
        is_folder = path.is_dir() and not path.is_symlink()
        if path.name in FILES and not is_folder:
            continue
        if is_folder:
            shutil.copytree(path, staged / path.name, symlinks=True, copy_function=_link_or_copy)
        else:
            _link_or_copy(path, staged / path.name)


def _link_or_copy(path: str | os.PathLike[str], copy: str | os.PathLike[str]) -> None:
    """Give a file a second name, or copy it where that cannot be."""
    try:
        os.link(path, copy, follow_symlinks=False)
    except OSError:
        shutil.copy2(path, copy, follow_symlinks=False)


def read_artifact(path: Path, *, allow_nonfinite: bool = False) -> Artifact:
    """Read a folder that `write` wrote, or its weights file alone; every byte is checked against the manifest.

    Raises:
        WeightsError: There is no such folder, a file is missing, damaged, or not the one the manifest names, or a
            tensor holds NaN or an infinite value.
    """
    found = folder.read_model_files(path)
    state, _ = tensors.from_bytes(found.weights, name=path)
    if not allow_nonfinite:
        check_finite(state, name=str(path))
    history = History.from_jsonl(found.history, name=path / HISTORY)
    history.stopped = found.manifest.stopped
    return Artifact(manifest=found.manifest, state=state, history=history, card=found.card)


def check_finite(state: Mapping[str, Tensor], *, name: str) -> None:
    """Raise if a tensor holds NaN or an infinite value."""
    unfit = [key for key, each in state.items() if each.is_floating_point() and not bool(torch.isfinite(each).all())]
    if unfit:
        raise WeightsError(
            f"{name}: {join_names(unfit, 6)} holds NaN or infinite values; allow_nonfinite=True loads it all the same"
        )
