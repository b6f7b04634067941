"""What a repository held at one moment; nothing here ever changes."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a commit."""

    oid: str  # git's hash: of the pointer, for an LFS file
    size: int  # bytes
    sha256: str | None = None  # of an LFS file
    xet: str | None = None  # Xet's own hash, of an LFS file that Xet keeps

    @property
    def key(self) -> str:
        """The name of its bytes among the objects."""
        return self.sha256 or self.oid


Tree = Mapping[str, File]


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A whole tree and where it came from."""

    oid: str = ""
    parent: str | None
    title: str
    message: str
    user: str
    date: str
    tree: Tree

    def named(self) -> "Commit":
        """Return this commit with the hash of its content and its moment as its name."""
        content = json.dumps([asdict(self), time.time_ns()], sort_keys=True)
        return replace(self, oid=hashlib.sha1(content.encode()).hexdigest())

    def written(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, text: bytes) -> "Commit":
        known = json.loads(text)
        return cls(**known | {"tree": {path: File(**file) for path, file in known["tree"].items()}})


def folders(tree: Tree) -> set[str]:
    """Return every folder the files of a tree lie in."""
    return {"/".join(path.split("/")[:depth]) for path in tree for depth in range(1, path.count("/") + 1)}


def now() -> str:
    """Return the time as the protocol writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
