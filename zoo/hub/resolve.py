"""From a reference to the folder it means: on this machine, shipped with zoo, or on a Hub. No torch here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import UnknownNameError, did_you_mean, join_names
from zoo.saving import bundled as shipped
from zoo.saving.reference import is_hub_reference, is_path_reference


@dataclass(frozen=True, kw_only=True)
class ResolvedReference:
    """Where a saved model lies, and how to name it for ever: a Hub's revision is the full commit here."""

    folder: Path
    reference: str


def resolve_reference(reference: object) -> ResolvedReference:
    """Return the folder of a reference; what lies on a Hub is fetched into the cache.

    Raises:
        UnknownNameError: It is no folder, no Hub reference and no weights that ship with zoo.
        HubError: The Hub does not have it, does not let us have it, or cannot be reached.
        WeightsError: What the Hub gave is damaged.
    """
    if is_hub_reference(reference):
        from zoo.hub import pull

        pulled = pull(str(reference))
        return ResolvedReference(folder=pulled.folder, reference=f"{str(reference).partition('@')[0]}@{pulled.commit}")
    if is_path_reference(reference):
        text = str(reference)
        return ResolvedReference(folder=Path(text), reference=text if is_path_reference(text) else f"./{text}")
    known = shipped.list_folders()
    if reference not in known:
        raise UnknownNameError(_describe_unknown(str(reference), known))
    return ResolvedReference(folder=known[str(reference)], reference=str(reference))


def _describe_unknown(reference: str, names: Collection[str]) -> str:
    inside = [name for name in names if name.startswith(f"{reference}/")]
    near = f"; did you mean {' or '.join(inside)}?" if inside else did_you_mean(reference, names)
    return (
        f"{reference!r} is no folder, and no weights that ship with zoo ({join_names(names) or 'none do'}){near}; "
        f"a folder is a Path, or a string that begins with '.' or '/', such as './{reference}'; "
        "a repository on a Hub is 'hf:owner/name'"
    )
