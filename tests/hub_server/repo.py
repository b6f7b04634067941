"""One repository: commits that never change, refs that move, a lock for whoever moves them."""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

from .objects import write_whole
from .refusal import Refusal, no_revision

HEADS, TAGS, PULLS = "refs/heads/", "refs/tags/", "refs/pr/"
MAIN = f"{HEADS}main"
STALE = "A commit has happened since. Please refresh and try again."


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a commit; `oid` is git's hash (of the pointer, for an LFS file), `sha256` is there for LFS alone."""

    oid: str
    size: int
    sha256: str | None = None

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
        """Return this commit with its content's hash as its name."""
        content = json.dumps([asdict(self), time.time_ns()], sort_keys=True)
        return replace(self, oid=hashlib.sha1(content.encode()).hexdigest())


@dataclass(frozen=True, kw_only=True)
class State:
    """What may change about a repository; it is replaced as a whole, in memory and on disk."""

    private: bool = False
    gated: str | bool = False
    granted: tuple[str, ...] = ()
    created: str = ""
    refs: Mapping[str, str] = field(default_factory=dict)


class Repo:
    """A repository in a folder of its own: `state.json` and `commits/<oid>.json`."""

    def __init__(self, folder: Path, *, kind: str, id: str):
        self.folder = folder
        self.kind = kind
        self.id = id
        self.lock = threading.RLock()
        self.state = State(created=now())
        self.commits: dict[str, Commit] = {}

    @property
    def namespace(self) -> str:
        return self.id.split("/")[0]

    @property
    def main(self) -> Commit:
        return self.commits[self.state.refs[MAIN]]

    def ref(self, revision: str) -> str | None:
        """Return the full name of the ref that is called this, if one is."""
        names = (HEADS + revision, TAGS + revision, revision)
        return next((name for name in names if name in self.state.refs), None)

    def at(self, revision: str) -> Commit:
        """Return the commit a branch, a tag, a ref or a whole commit hash names."""
        ref = self.ref(revision)
        oid = self.state.refs[ref] if ref else revision
        if oid not in self.commits:
            raise no_revision(revision)
        return self.commits[oid]

    def history(self, commit: Commit) -> list[Commit]:
        """Return this commit and all before it, newest first."""
        past = [commit]
        while past[-1].parent:
            past.append(self.commits[past[-1].parent])
        return past

    def update(self, **changes) -> None:
        """Change what the repository is, all or nothing."""
        with self.lock:
            state = replace(self.state, **changes)
            write_whole(self.folder / "state.json", json.dumps(asdict(state), indent=1).encode())
            self.state = state

    def move(self, ref: str, to: str | None) -> None:
        """Point a ref at a commit wherever it pointed before; None removes it."""
        with self.lock:
            refs = {name: oid for name, oid in self.state.refs.items() if name != ref}
            self.update(refs=refs if to is None else refs | {ref: self.at(to).oid})

    def record(
        self, tree: Tree, *, ref: str, parent: Commit | None, user: str, title: str, message: str = ""
    ) -> Commit:
        """Make a commit and move the ref to it; the caller holds the lock and has looked at the parent."""
        oid = parent.oid if parent else None
        commit = Commit(parent=oid, title=title, message=message, user=user, date=now(), tree=tree).named()
        write_whole(self.folder / "commits" / f"{commit.oid}.json", json.dumps(asdict(commit)).encode())
        self.commits[commit.oid] = commit
        self.update(refs={**self.state.refs, ref: commit.oid})
        return commit

    def expect(self, head: Commit, parent: str | None) -> None:
        """Refuse a commit that was made from another one than this."""
        if parent and parent != head.oid:
            raise Refusal(412, STALE)

    def next_pull(self) -> str:
        numbers = [int(name.removeprefix(PULLS)) for name in self.state.refs if name.startswith(PULLS)]
        return f"{PULLS}{max(numbers, default=0) + 1}"

    def create(self, tree: Tree, *, user: str, private: bool) -> None:
        (self.folder / "commits").mkdir(parents=True)
        self.state = replace(self.state, private=private)
        self.record(tree, ref=MAIN, parent=None, user=user, title="initial commit")

    def load(self) -> "Repo":
        """Read what an earlier run of the server left."""
        state = json.loads((self.folder / "state.json").read_text())
        self.state = State(**state | {"granted": tuple(state["granted"])})
        for path in (self.folder / "commits").glob("[0-9a-f]*.json"):
            known = json.loads(path.read_text())
            tree = {name: File(**file) for name, file in known.pop("tree").items()}
            self.commits[path.stem] = Commit(**known, tree=tree)
        return self

    def remove(self) -> None:
        rmtree(self.folder)


def now() -> str:
    """Return the time as the protocol writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
