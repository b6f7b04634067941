"""A model on a Hub by name: `hf:owner/name@revision`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zoo.errors import UnknownNameError
from zoo.saving.reference import HUB, is_hub

MAIN = "main"
FORM = "hf:owner/name or hf:owner/name@revision"
PART = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?")
REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")
COMMIT = re.compile(r"[0-9a-f]{40}")
LONGEST = 96
"""Most letters of `owner/name`, by the Hub's own rule."""
LONGEST_REVISION = 200


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A repository and a revision of it: a branch, a tag, a pull request such as `refs/pr/1`, or a commit."""

    owner: str
    name: str
    revision: str = MAIN

    def __post_init__(self) -> None:
        """Check all three.

        Raises:
            UnknownNameError: One is not of the form that the Hub gives such names.
        """
        if not _is_name(self.owner) or not _is_name(self.name) or len(self.repo) > LONGEST:
            raise UnknownNameError(f"{_told(self.repo)} is no repository; write {FORM}")
        if not is_revision(self.revision):
            raise UnknownNameError(f"{_told(self.revision)} is no branch, tag or commit of {HUB}{self.repo}")

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read `hf:owner/name@revision`; without a revision it is `main`.

        Raises:
            UnknownNameError: It is anything else.

        >>> Reference.parse("hf:owner/name@refs/pr/1")
        Reference(owner='owner', name='name', revision='refs/pr/1')
        """
        repo, at, revision = text.removeprefix(HUB).partition("@")
        if not is_hub(text) or repo.count("/") != 1 or (at and not revision):
            raise UnknownNameError(f"{_told(text)} names no model on a Hub; write {FORM}")
        owner, name = repo.split("/")
        return cls(owner=owner, name=name, revision=revision or MAIN)

    @property
    def repo(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def commit(self) -> str | None:
        """The revision if it is a whole commit, which can never move."""
        return self.revision if is_commit(self.revision) else None

    def __str__(self) -> str:
        """Return the reference as it is given back to `parse`."""
        return f"{HUB}{self.repo}" + (f"@{self.revision}" if self.revision != MAIN else "")


def is_commit(text: object) -> bool:
    """Return whether a text is a whole commit: 40 hexadecimal digits."""
    return isinstance(text, str) and bool(COMMIT.fullmatch(text))


def is_revision(text: str) -> bool:
    """Return whether a text can name a branch, tag or commit."""
    if not REVISION.fullmatch(text) or len(text) > LONGEST_REVISION or ".." in text or "//" in text:
        return False
    return not text.endswith((".", "/", ".lock"))


def _is_name(text: str) -> bool:
    return bool(PART.fullmatch(text)) and not any(bad in text for bad in ("..", "--")) and not text.endswith(".git")


def _told(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")
