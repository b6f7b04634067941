"""Resolve a reference to the folder of a saved model: on this machine, shipped with zoo, or on a Hub.

This module does not import torch, so that listing stays fast.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import UnknownNameError, did_you_mean, join_names
from zoo.saving import bundled
from zoo.saving.reference import is_hub_reference, is_path_reference


@dataclass(frozen=True, kw_only=True)
class ResolvedReference:
    """The folder of a saved model, and a reference to it that stays valid: a Hub's revision is the full commit."""

    folder: Path
    reference: str


def resolve_reference(reference: object) -> ResolvedReference:
    """Return the folder of a reference; a model on a Hub is downloaded into the cache.

    Raises:
        UnknownNameError: The reference is neither a folder, nor a Hub reference, nor weights that ship with zoo.
        HubError: The Hub does not have the model, refuses it, or cannot be reached.
        WeightsError: The downloaded model is damaged.
    """
    if is_hub_reference(reference):
        from zoo.hub import pull

        pulled = pull(str(reference))
        return ResolvedReference(folder=pulled.folder, reference=f"{str(reference).partition('@')[0]}@{pulled.commit}")
    if is_path_reference(reference):
        text = str(reference)
        return ResolvedReference(folder=Path(text), reference=text if is_path_reference(text) else f"./{text}")
    bundled_folders = bundled.list_folders()
    if reference not in bundled_folders:
        raise UnknownNameError(_describe_unknown(str(reference), bundled_folders))
    return ResolvedReference(folder=bundled_folders[str(reference)], reference=str(reference))


def _describe_unknown(reference: str, names: Collection[str]) -> str:
    trained = [name for name in names if name.startswith(f"{reference}/")]
    hint = f"; did you mean {' or '.join(trained)}?" if trained else did_you_mean(reference, names)
    return (
        f"{reference!r} is neither a folder nor weights that ship with zoo ({join_names(names) or 'none do'}){hint}; "
        f"a folder is a Path, or a string that begins with '.' or '/', such as './{reference}'; "
        "a repository on a Hub is 'hf:owner/name'"
    )
