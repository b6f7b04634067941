"""From a reference to the folder it means: on this machine, shipped with zoo, or on a Hub. No torch here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import UnknownNameError, did_you_mean, listed
from zoo.saving import bundled as shipped
from zoo.saving.reference import is_folder, is_hub


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where a saved model lies, and how to name it for ever: a Hub's revision is the full commit here."""

    folder: Path
    reference: str


def found(reference: object) -> Found:
    """Return the folder of a reference; what lies on a Hub is fetched into the cache.

    Raises:
        UnknownNameError: It is no folder, no Hub reference and no weights that ship with zoo.
        HubError: The Hub does not have it, does not let us have it, or cannot be reached.
        WeightsError: What the Hub gave is damaged.
    """
    if is_hub(reference):
        from zoo.hub import pull

        pulled = pull(str(reference))
        return Found(folder=pulled.folder, reference=f"{str(reference).partition('@')[0]}@{pulled.commit}")
    if is_folder(reference):
        text = str(reference)
        return Found(folder=Path(text), reference=text if is_folder(text) else f"./{text}")
    known = shipped.folders()
    if reference not in known:
        raise UnknownNameError(_unknown(str(reference), known))
    return Found(folder=known[str(reference)], reference=str(reference))


def _unknown(reference: str, names: Collection[str]) -> str:
    inside = [name for name in names if name.startswith(f"{reference}/")]
    near = f"; did you mean {' or '.join(inside)}?" if inside else did_you_mean(reference, names)
    return (
        f"{reference!r} is no folder, and no weights that ship with zoo ({listed(names) or 'none do'}){near}; "
        f"a folder is a Path, or a string that begins with '.' or '/', such as './{reference}'; "
        "a repository on a Hub is 'hf:owner/name'"
    )
