"""What a Hub says of a repository, as values; each answer is checked before anything is made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from zoo.errors import HubNotFoundError, HubUnreachableError, HubUntrustedError
from zoo.hub.client import Client
from zoo.saving.hub_reference import Reference, is_commit

if TYPE_CHECKING:
    from zoo.hub.client import HfApi


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A file on a Hub: its bytes' number and hash, sha256 or git's own."""

    size: int
    hash: str

    def is_of(self, data: bytes) -> bool:
        """Return whether these are its bytes."""
        found = hashlib.sha256(data).hexdigest() if len(self.hash) == 64 else git_hash(data)
        return len(data) == self.size and found == self.hash


@dataclass(frozen=True, kw_only=True)
class Repo:
    """A repository: whether it is there and only for some, and the commits of its branches and tags."""

    exists: bool
    private: bool = False
    branches: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def git_hash(data: bytes) -> str:
    """Return the name that git gives to a file's bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def commit_of(client: Client, reference: Reference) -> str:
    """Return the commit that a revision names now.

    Raises:
        HubError: There is none, or none that this token may see, or the Hub does not say.
    """
    found = client.ask(
        lambda api: api.model_info(reference.repo, revision=reference.revision).sha,
        asked=f"cannot find {reference}",
        repo=reference.repo,
    )
    return checked(found, reference)


def checked(commit: object, reference: Reference) -> str:
    """Return a commit that a Hub told.

    Raises:
        HubUntrustedError: It is none.
    """
    if not is_commit(commit):
        raise HubUntrustedError(
            f"the Hub says that {reference} is commit {str(commit)[:80]!r}, which is none; not used"
        )
    return str(commit)


def files_of(client: Client, reference: Reference, commit: str, names: Iterable[str]) -> dict[str, Remote]:
    """Return those of the named files that a commit has; what else the Hub lists is left out.

    Raises:
        HubError: The Hub does not say.
    """
    wanted = list(names)

    def call(api: HfApi) -> dict[str, Remote]:
        listed = api.get_paths_info(reference.repo, wanted, revision=commit)
        found = {each.path: each for each in listed if each.path in wanted and hasattr(each, "blob_id")}
        return {name: _remote(found[name], name) for name in wanted if name in found}

    return client.ask(call, asked=f"cannot list the files of {reference}", repo=reference.repo)


def _remote(entry: object, name: str) -> Remote:
    lfs = getattr(entry, "lfs", None)
    size, found = getattr(entry, "size", None), lfs.sha256 if lfs else getattr(entry, "blob_id", None)
    is_hash = isinstance(found, str) and len(found) == (64 if lfs else 40) and set(found) <= set("0123456789abcdef")
    if type(size) is not int or size < 0 or not is_hash:
        raise HubUntrustedError(f"the Hub lists {name} without a size and a hash; not used")
    return Remote(size=size, hash=str(found))


def repo_of(client: Client, reference: Reference) -> Repo:
    """Return what there is under a name; not there, or not for this token, is a value too.

    Raises:
        HubError: The Hub does not say.
    """

    def call(api: HfApi) -> Repo:
        refs = api.list_repo_refs(reference.repo)
        return Repo(
            exists=True,
            private=bool(api.model_info(reference.repo).private),
            branches={each.name: checked(each.target_commit, reference) for each in refs.branches},
            tags={each.name: checked(each.target_commit, reference) for each in refs.tags},
        )

    try:
        return client.ask(call, asked=f"cannot look at {reference}", repo=reference.repo)
    except HubNotFoundError:
        return Repo(exists=False)


def proposals_of(client: Client, reference: Reference) -> dict[str, str]:
    """Return the commits of the pull requests by name, such as `refs/pr/1`."""
    refs = client.ask(
        lambda api: api.list_repo_refs(reference.repo, include_pull_requests=True),
        asked=f"cannot list the pull requests of {reference}",
        repo=reference.repo,
    )
    return {each.ref: checked(each.target_commit, reference) for each in refs.pull_requests or []}


def user_of(client: Client) -> tuple[str, str]:
    """Return the name of whom the token speaks for, and its role, such as `read` or `write`.

    Raises:
        HubAccessError: There is no token, or the Hub does not know it.
    """
    found = client.ask(lambda api: api.whoami(), asked="cannot log in")
    role = (found.get("auth") or {}).get("accessToken") or {}
    return str(found.get("name", "")), str(role.get("role", ""))


def read(client: Client, reference: Reference, name: str, *, commit: str, remote: Remote) -> bytes:
    """Return the bytes of a small file.

    Raises:
        HubError: It cannot be had, or arrived damaged.
    """
    with TemporaryDirectory() as folder:
        client.download(reference, name, commit=commit, size=remote.size, folder=Path(folder))
        data = (Path(folder) / name).read_bytes()
    if not remote.is_of(data):
        raise HubUnreachableError(f"{name} of {reference} arrived damaged; try again")
    return data
