"""Keep downloaded models in a folder per commit, checked before it is installed and each time it is used."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from zoo.errors import HubError, WeightsError
from zoo.files.atomic import acquire_lock, replace_file
from zoo.files.checked_json import parse_json
from zoo.hub.client import HubClient, get_assets_folder
from zoo.hub.download import LOCK_TIMEOUT
from zoo.saving.reference import HubReference, is_commit

PullSource = Literal["cache", "hub"]


@dataclass(frozen=True, kw_only=True)
class PullResult:
    """A downloaded model: its folder, its commit, and whether it came from the cache or from the Hub."""

    folder: Path
    reference: HubReference
    commit: str
    source: PullSource


@dataclass(frozen=True, kw_only=True)
class RepoCache:
    """The part of the cache that belongs to one repository of one endpoint.

    Args:
        folder: Holds a folder per commit, and `refs/` with the last known commit of branches and tags.
        endpoint: URL of the Hub.
        check: Raises WeightsError for the folder of a commit that is damaged.
    """

    folder: Path
    endpoint: str
    check: Callable[[Path], object]

    @classmethod
    def for_reference(
        cls, reference: HubReference, client: HubClient, *, check: Callable[[Path], object], subfolder: str = ""
    ) -> RepoCache:
        """Return a repository's part of the cache; endpoints other than the public Hub are kept apart."""
        root = get_cache_root() if client.is_default else get_cache_root() / f"@{quote(client.endpoint, safe='')}"
        folder = root / f"{reference.owner}--{reference.name}" / subfolder
        return cls(folder=folder, endpoint=client.endpoint, check=check)

    def commit_path(self, commit: str) -> Path:
        """Return the folder of a commit, whether it exists or not."""
        return self.folder / commit

    def has_commit(self, commit: str) -> bool:
        """Return whether a commit is in the cache; one that is there is checked.

        Raises:
            WeightsError: It is there and damaged.
        """
        path = self.commit_path(commit)
        if not path.exists():
            return False
        self.check(path)
        return True

    def is_complete(self, commit: str) -> bool:
        """Return whether a commit is in the cache and passes every check."""
        try:
            return self.has_commit(commit)
        except WeightsError:
            return False

    def add(self, commit: str, fill: Callable[[Path], None]) -> PullSource:
        """Fill a commit's folder under a lock; return "cache" if another process has filled it first, else "hub".

        Raises:
            BusyError: Another process still fills it after `LOCK_TIMEOUT` seconds.
            OSError: The cache cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with acquire_lock(self.folder / f"{commit}.pull", timeout=LOCK_TIMEOUT):
            if self.is_complete(commit):
                return "cache"
            fill(self.commit_path(commit))
        return "hub"

    @contextmanager
    def translate_os_errors(self, reference: HubReference) -> Iterator[None]:
        """Raise HubError in a block where the operating system refuses to read or write the cache."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise HubError(
                f"cannot keep {reference} in {self.folder}: {reason}; set ZOO_CACHE to another folder"
            ) from None

    def remember_commit(self, reference: HubReference, commit: str) -> None:
        """Note the commit of a branch or tag, for when the Hub cannot be reached; a failure to write is ignored."""
        if self.get_remembered_commit(reference) == commit:
            return
        path = self._note_path(reference)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, (json.dumps({**self._note_fields(reference), "commit": commit}) + "\n").encode())

    def get_remembered_commit(self, reference: HubReference) -> str | None:
        """Return the commit of a branch or tag when it was last pulled; None if there is no valid note."""
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
    """Return the folder of the whole cache: ZOO_CACHE, or one beside the client's own cache."""
    configured = os.environ.get("ZOO_CACHE")
    return Path(configured).expanduser() if configured else get_assets_folder() / "zoo-models"
