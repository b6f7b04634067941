"""Tell the kinds of references apart by their first characters, and parse `hf:owner/name@revision`. No torch here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import UnknownNameError

HUB_PREFIX = "hf:"
MAIN_BRANCH = "main"
REFERENCE_FORM = "hf:owner/name or hf:owner/name@revision"
NAME_PATTERN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?")
REVISION_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")
COMMIT_PATTERN = re.compile(r"[0-9a-f]{40}")
MAX_REPO_ID_LENGTH = 96
"""Largest length of `owner/name` on the Hub."""
MAX_REVISION_LENGTH = 200


def is_path_reference(reference: object) -> bool:
    """Return whether a reference is a path: a `Path`, or a string that begins with `.`, `/` or `~`.

    >>> is_path_reference("./photos"), is_path_reference("photos"), is_path_reference(Path("photos"))
    (True, False, True)
    """
    return isinstance(reference, Path) or (isinstance(reference, str) and reference.startswith((".", "/", "~")))


def is_hub_reference(reference: object) -> bool:
    """Return whether a reference is a repository on a Hub: a string that begins with `hf:`.

    >>> is_hub_reference("hf:owner/name@v1"), is_hub_reference("owner/name")
    (True, False)
    """
    return isinstance(reference, str) and reference.startswith(HUB_PREFIX)


@dataclass(frozen=True, kw_only=True)
class HubReference:
    """A repository on a Hub, and a revision of it: a branch, tag, pull request such as `refs/pr/1`, or commit."""

    owner: str
    name: str
    revision: str = MAIN_BRANCH

    def __post_init__(self) -> None:
        """Check the form of owner, name and revision.

        Raises:
            UnknownNameError: One cannot be a name on the Hub.
        """
        if not _is_name(self.owner) or not _is_name(self.name) or len(self.repo_id) > MAX_REPO_ID_LENGTH:
            raise UnknownNameError(f"{_shorten(self.repo_id)} is not a repository; write {REFERENCE_FORM}")
        if not is_revision(self.revision):
            raise UnknownNameError(
                f"{_shorten(self.revision)} is not a branch, tag or commit of {HUB_PREFIX}{self.repo_id}"
            )

    @classmethod
    def parse(cls, text: str) -> HubReference:
        """Parse `hf:owner/name@revision`; without a revision it is `main`.

        Raises:
            UnknownNameError: The text has another form.

        >>> HubReference.parse("hf:owner/name@refs/pr/1")
        HubReference(owner='owner', name='name', revision='refs/pr/1')
        """
        repo, at, revision = text.removeprefix(HUB_PREFIX).partition("@")
        if not is_hub_reference(text) or repo.count("/") != 1 or (at and not revision):
            raise UnknownNameError(f"{_shorten(text)} is not a model on a Hub; write {REFERENCE_FORM}")
        owner, name = repo.split("/")
        return cls(owner=owner, name=name, revision=revision or MAIN_BRANCH)

    @property
    def repo_id(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def commit(self) -> str | None:
        """The revision if it is a full commit hash, which never changes; else None."""
        return self.revision if is_commit(self.revision) else None

    def __str__(self) -> str:
        """Return the text that `parse` parses to an equal reference."""
        return f"{HUB_PREFIX}{self.repo_id}" + (f"@{self.revision}" if self.revision != MAIN_BRANCH else "")


def is_commit(text: object) -> bool:
    """Return whether a text is a full commit hash: 40 hexadecimal digits."""
    return isinstance(text, str) and bool(COMMIT_PATTERN.fullmatch(text))


def is_revision(text: str) -> bool:
    """Return whether a text can be the name of a branch, tag or commit."""
    if not REVISION_PATTERN.fullmatch(text) or len(text) > MAX_REVISION_LENGTH or ".." in text or "//" in text:
        return False
    return not text.endswith((".", "/", ".lock"))


def _is_name(text: str) -> bool:
    return (
        bool(NAME_PATTERN.fullmatch(text))
        and not any(bad in text for bad in ("..", "--"))
        and not text.endswith(".git")
    )


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")
