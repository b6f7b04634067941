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
from zoo.files.checked_json import parse_json
from zoo.hub.client import HubClient, get_assets_folder
from zoo.saving.folder import ModelFiles, read_model_files
from zoo.saving.reference import HubReference, is_commit

PullSource = Literal["cache", "hub"]


@dataclass(frozen=True, kw_only=True)
class PullResult:
    """A model that lies here: its folder, the commit it is, and where this pull had it from."""

    folder: Path
    reference: HubReference
    commit: str
    source: PullSource


@dataclass(frozen=True, kw_only=True)
class RepoCache:
    """The part of the cache that belongs to one repository of one endpoint."""

    folder: Path
    endpoint: str

    @classmethod
    def for_reference(cls, reference: HubReference, client: HubClient) -> RepoCache:
        """Return a repository's shelf; another endpoint than the public Hub has shelves of its own."""
        home = get_cache_root() if client.is_default else get_cache_root() / f"@{quote(client.endpoint, safe='')}"
        return cls(folder=home / f"{reference.owner}--{reference.name}", endpoint=client.endpoint)

    def commit_path(self, commit: str) -> Path:
        """Return where a commit lies, or would."""
        return self.folder / commit

    def read_commit(self, commit: str) -> ModelFiles | None:
        """Return a commit's contents, checked; None if it is not here.

        Raises:
            WeightsError: It is here and damaged.
        """
        place = self.commit_path(commit)
        return read_model_files(place) if place.exists() else None

    def is_complete(self, commit: str) -> bool:
        """Return whether a commit is here and passes every check."""
        try:
            return self.read_commit(commit) is not None
        except WeightsError:
            return False

    def remember_commit(self, reference: HubReference, commit: str) -> None:
        """Note which commit a branch or tag was, for when the Hub cannot be asked; a full disk is no reason to stop."""
        if self.get_remembered_commit(reference) == commit:
            return
        path = self._note_path(reference)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, (json.dumps({**self._note_fields(reference), "commit": commit}) + "\n").encode())

    def get_remembered_commit(self, reference: HubReference) -> str | None:
        """Return the commit that a branch or tag was when it was last pulled."""
        try:
            note = parse_json(self._note_path(reference).read_bytes(), name=str(self._note_path(reference)))
        except (OSError, WeightsError):
            return None
        commit = note.pop("commit", None)
        return commit if is_commit(commit) and note == self._note_fields(reference) else None

    def _note_fields(self, reference: HubReference) -> dict[str, str]:
        return {"endpoint": self.endpoint, "reference": str(reference)}

    def _note_path(self, reference: HubReference) -> Path:
        name = quote(reference.revision, safe="")
        return self.folder / "refs" / (name if len(name) <= 200 else hashlib.sha256(name.encode()).hexdigest())


def get_cache_root() -> Path:
    """Return the folder of all shelves: ZOO_CACHE, or one beside the client's own cache."""
    told = os.environ.get("ZOO_CACHE")
    return Path(told).expanduser() if told else get_assets_folder() / "zoo-models"
