"""Read what a Hub knows of a repository, as values; each answer is checked before it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

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
HEX_DIGITS = set("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file on a Hub: its size in bytes and its digest, sha256 or git's own."""

    size: int
    digest: str

    def is_match(self, data: bytes) -> bool:
        """Return whether `data` has the size and the digest of the file."""
        digest = hashlib.sha256(data).hexdigest() if len(self.digest) == 64 else compute_git_hash(data)
        return len(data) == self.size and digest == self.digest


@dataclass(frozen=True, kw_only=True)
class RepoInfo:
    """A repository: whether it exists and is private, and the commits of its branches and tags."""

    exists: bool
    private: bool = False
    branches: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class User(NamedTuple):
    """The user of a token, and the token's role, such as `read` or `write`."""

    name: str
    role: str


def compute_git_hash(data: bytes) -> str:
    """Return git's hash of a file's bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def resolve_commit(client: HubClient, reference: HubReference) -> str:
    """Return the commit that a revision names now.

    Raises:
        HubError: The revision does not exist, is not visible with this token, or the Hub does not answer.
    """
    commit = client.call_api(
        lambda api: api.model_info(reference.repo_id, revision=reference.revision).sha,
        problem=f"cannot find {reference}",
        repo_id=reference.repo_id,
    )
    return check_commit(commit, reference)


def check_commit(commit: object, reference: HubReference) -> str:
    """Check a commit in an answer of a Hub, and return it.

    Raises:
        HubUntrustedError: It is not a commit.
    """
    if not is_commit(commit):
        raise HubUntrustedError(
            f"the Hub says that {reference} is commit {str(commit)[:80]!r}, which is not a commit; not used"
        )
    return str(commit)


def list_files(client: HubClient, reference: HubReference, commit: str, names: Iterable[str]) -> dict[str, RemoteFile]:
    """Return those of the named files that a commit has; other entries of the listing are ignored.

    Raises:
        HubError: The Hub does not answer, or lists a file without size and hash.
    """
    paths = list(names)

    def call(api: HfApi) -> dict[str, RemoteFile]:
        listing = api.get_paths_info(reference.repo_id, paths, revision=commit)
        entries = {each.path: each for each in listing if each.path in paths and hasattr(each, "blob_id")}
        return {path: _parse_entry(entries[path], path) for path in paths if path in entries}

    return client.call_api(call, problem=f"cannot list the files of {reference}", repo_id=reference.repo_id)


def _parse_entry(entry: object, name: str) -> RemoteFile:
    lfs = getattr(entry, "lfs", None)
    size, digest = getattr(entry, "size", None), lfs.sha256 if lfs else getattr(entry, "blob_id", None)
    is_hash = isinstance(digest, str) and len(digest) == (64 if lfs else 40) and set(digest) <= HEX_DIGITS
    if type(size) is not int or size < 0 or not is_hash:
        raise HubUntrustedError(f"the Hub lists {name} without a size and a hash; not used")
    return RemoteFile(size=size, digest=str(digest))


def get_repo_info(client: HubClient, reference: HubReference) -> RepoInfo:
    """Return the state of a repository; one that does not exist or is not visible is a value too.

    Raises:
        HubError: The Hub does not answer.
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
    """Return the commit of each pull request by its name, such as `refs/pr/1`."""
    refs = client.call_api(
        lambda api: api.list_repo_refs(reference.repo_id, include_pull_requests=True),
        problem=f"cannot list the pull requests of {reference}",
        repo_id=reference.repo_id,
    )
    return {each.ref: check_commit(each.target_commit, reference) for each in refs.pull_requests or []}


def get_user(client: HubClient) -> User:
    """Return the user of the token, and the token's role.

    Raises:
        HubAccessError: There is no token, or the Hub does not know it.
    """
    answer = client.call_api(lambda api: api.whoami(), problem="cannot log in")
    token = (answer.get("auth") or {}).get("accessToken") or {}
    return User(name=str(answer.get("name", "")), role=str(token.get("role", "")))


def read_file(client: HubClient, reference: HubReference, name: str, *, commit: str, remote: RemoteFile) -> bytes:
    """Download a small file and return its bytes.

    Raises:
        HubError: The download failed, or the file arrived damaged.
    """
    with TemporaryDirectory() as folder:
        client.download(reference, name, commit=commit, size=remote.size, folder=Path(folder))
        data = (Path(folder) / name).read_bytes()
    if not remote.is_match(data):
        raise HubUnreachableError(f"{name} of {reference} arrived damaged; try again")
    return data
