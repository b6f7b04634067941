"""Where pulled models lie: a folder a commit, checked before it is put there and each time it is used."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from zoo.errors import WeightsError
from zoo.files.atomic import replace_file
from zoo.files.checked_json import parsed
from zoo.hub.client import Client, assets
from zoo.saving.folder import Contents, contents
from zoo.saving.hub_reference import Reference, is_commit

Source = Literal["cache", "hub"]


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """A model that lies here: its folder, the commit it is, and where this pull had it from."""

    folder: Path
    reference: Reference
    commit: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The part of the cache that belongs to one repository of one endpoint."""

    folder: Path
    endpoint: str

    @classmethod
    def of(cls, reference: Reference, client: Client) -> Shelf:
        """Return a repository's shelf; another endpoint than the public Hub has shelves of its own."""
        home = root() if client.is_default else root() / f"@{quote(client.endpoint, safe='')}"
        return cls(folder=home / f"{reference.owner}--{reference.name}", endpoint=client.endpoint)

    def place(self, commit: str) -> Path:
        """Return where a commit lies, or would."""
        return self.folder / commit

    def kept(self, commit: str) -> Contents | None:
        """Return a commit's contents, checked; None if it is not here.

        Raises:
            WeightsError: It is here and damaged.
        """
        place = self.place(commit)
        return contents(place) if place.exists() else None

    def is_whole(self, commit: str) -> bool:
        """Return whether a commit is here and passes every check."""
        try:
            return self.kept(commit) is not None
        except WeightsError:
            return False

    def remember(self, reference: Reference, commit: str) -> None:
        """Note which commit a branch or tag was, for when the Hub cannot be asked; a full disk is no reason to stop."""
        if self.remembered(reference) == commit:
            return
        path = self._note(reference)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, (json.dumps({**self._about(reference), "commit": commit}) + "\n").encode())

    def remembered(self, reference: Reference) -> str | None:
        """Return the commit that a branch or tag was when it was last pulled."""
        try:
            note = parsed(self._note(reference).read_bytes(), name=str(self._note(reference)))
        except (OSError, WeightsError):
            return None
        commit = note.pop("commit", None)
        return commit if is_commit(commit) and note == self._about(reference) else None

    def _about(self, reference: Reference) -> dict[str, str]:
        return {"endpoint": self.endpoint, "reference": str(reference)}

    def _note(self, reference: Reference) -> Path:
        name = quote(reference.revision, safe="")
        return self.folder / "refs" / (name if len(name) <= 200 else hashlib.sha256(name.encode()).hexdigest())


def root() -> Path:
    """Return the folder of all shelves: ZOO_CACHE, or one beside the client's own cache."""
    told = os.environ.get("ZOO_CACHE")
    return Path(told).expanduser() if told else assets() / "zoo-models"
