"""What a Hub says of a repository, as values; each answer is checked before anything is made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from zoo.errors import HubNotFoundError, HubUnreachableError, HubUntrustedError
from zoo.files.checked_json import MAX_JSON_BYTES
from zoo.hub.client import HubClient
from zoo.saving.folder import CARD, CONFIG, HISTORY, MAX_HISTORY_BYTES
from zoo.saving.reference import HubReference, is_commit

if TYPE_CHECKING:
    from zoo.hub.client import HfApi

MAX_CARD_BYTES = 1 << 20
MAX_FILE_BYTES = {CONFIG: MAX_JSON_BYTES, HISTORY: MAX_HISTORY_BYTES, CARD: MAX_CARD_BYTES}
"""Most bytes of a file that zoo publishes or downloads; the weights may have any size."""


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file on a Hub: its bytes' number and hash, sha256 or git's own."""

    size: int
    digest: str

    def is_match(self, data: bytes) -> bool:
        """Return whether these are its bytes."""
        found = hashlib.sha256(data).hexdigest() if len(self.digest) == 64 else compute_git_hash(data)
        return len(data) == self.size and found == self.digest


@dataclass(frozen=True, kw_only=True)
class RepoInfo:
    """A repository: whether it is there and only for some, and the commits of its branches and tags."""

    exists: bool
    private: bool = False
    branches: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def compute_git_hash(data: bytes) -> str:
    """Return the name that git gives to a file's bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def resolve_commit(client: HubClient, reference: HubReference) -> str:
    """Return the commit that a revision names now.

    Raises:
        HubError: There is none, or none that this token may see, or the Hub does not say.
    """
    found = client.call_api(
        lambda api: api.model_info(reference.repo_id, revision=reference.revision).sha,
        problem=f"cannot find {reference}",
        repo_id=reference.repo_id,
    )
    return check_commit(found, reference)


def check_commit(commit: object, reference: HubReference) -> str:
    """Return a commit that a Hub told.

    Raises:
        HubUntrustedError: It is none.
    """
    if not is_commit(commit):
        raise HubUntrustedError(
            f"the Hub says that {reference} is commit {str(commit)[:80]!r}, which is none; not used"
        )
    return str(commit)


def list_files(client: HubClient, reference: HubReference, commit: str, names: Iterable[str]) -> dict[str, RemoteFile]:
    """Return those of the named files that a commit has; what else the Hub lists is left out.

    Raises:
        HubError: The Hub does not say.
    """
    wanted = list(names)

    def call(api: HfApi) -> dict[str, RemoteFile]:
        listed = api.get_paths_info(reference.repo_id, wanted, revision=commit)
        found = {each.path: each for each in listed if each.path in wanted and hasattr(each, "blob_id")}
        return {name: _parse_entry(found[name], name) for name in wanted if name in found}

    return client.call_api(call, problem=f"cannot list the files of {reference}", repo_id=reference.repo_id)


def _parse_entry(entry: object, name: str) -> RemoteFile:
    lfs = getattr(entry, "lfs", None)
    size, found = getattr(entry, "size", None), lfs.sha256 if lfs else getattr(entry, "blob_id", None)
    is_hash = isinstance(found, str) and len(found) == (64 if lfs else 40) and set(found) <= set("0123456789abcdef")
    if type(size) is not int or size < 0 or not is_hash:
        raise HubUntrustedError(f"the Hub lists {name} without a size and a hash; not used")
    return RemoteFile(size=size, digest=str(found))


def get_repo_info(client: HubClient, reference: HubReference) -> RepoInfo:
    """Return what there is under a name; not there, or not for this token, is a value too.

    Raises:
        HubError: The Hub does not say.
    """

    def call(api: HfApi) -> RepoInfo:
        refs = api.list_repo_refs(reference.repo_id)
        return RepoInfo(
            exists=True,
            private=bool(api.model_info(reference.repo_id).private),
            branches={each.name: check_commit(each.target_commit, reference) for each in refs.branches},
            tags={each.name: check_commit(each.target_commit, reference) for each in refs.tags},
        )

    try:
        return client.call_api(call, problem=f"cannot look at {reference}", repo_id=reference.repo_id)
    except HubNotFoundError:
        return RepoInfo(exists=False)


def list_pull_requests(client: HubClient, reference: HubReference) -> dict[str, str]:
    """Return the commits of the pull requests by name, such as `refs/pr/1`."""
    refs = client.call_api(
        lambda api: api.list_repo_refs(reference.repo_id, include_pull_requests=True),
        problem=f"cannot list the pull requests of {reference}",
        repo_id=reference.repo_id,
    )
    return {each.ref: check_commit(each.target_commit, reference) for each in refs.pull_requests or []}


def get_user(client: HubClient) -> tuple[str, str]:
    """Return the name of whom the token speaks for, and its role, such as `read` or `write`.

    Raises:
        HubAccessError: There is no token, or the Hub does not know it.
    """
    found = client.call_api(lambda api: api.whoami(), problem="cannot log in")
    role = (found.get("auth") or {}).get("accessToken") or {}
    return str(found.get("name", "")), str(role.get("role", ""))


def read_file(client: HubClient, reference: HubReference, name: str, *, commit: str, remote: RemoteFile) -> bytes:
    """Return the bytes of a small file.

    Raises:
        HubError: It cannot be had, or arrived damaged.
    """
    with TemporaryDirectory() as folder:
        client.download(reference, name, commit=commit, size=remote.size, folder=Path(folder))
        data = (Path(folder) / name).read_bytes()
    if not remote.is_match(data):
        raise HubUnreachableError(f"{name} of {reference} arrived damaged; try again")
    return data
