"""One repository: its commits, the refs that move over them, and a lock for whoever moves one."""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .commit import Commit, Tree, now
from .objects import write_whole
from .refusal import Refusal, no_revision

HEADS, TAGS, PULLS = "refs/heads/", "refs/tags/", "refs/pr/"
MAIN = f"{HEADS}main"


@dataclass(frozen=True, kw_only=True)
class State:
    """What may change about a repository; it is replaced as a whole, in memory and on disk."""

    private: bool = False
    gated: str | bool = False
    granted: tuple[str, ...] = ()  # users who may read the files of a gated repository
    former: tuple[str, ...] = ()  # names it had before, which lead to it still
    created: str = ""
    refs: Mapping[str, str] = field(default_factory=dict)  # full name of a ref -> commit


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
        return self.at(MAIN)

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
        """Change fields of the state, all or nothing."""
        with self.lock:
            state = replace(self.state, **changes)
            write_whole(self.folder / "state.json", json.dumps(asdict(state), indent=1).encode())
            self.state = state

    def move(self, ref: str, to: str | None) -> None:
        """Point a ref, by its full name, at a revision, wherever it pointed before; None removes it."""
        with self.lock:
            refs = {name: oid for name, oid in self.state.refs.items() if name != ref}
            self.update(refs=refs if to is None else refs | {ref: self.at(to).oid})

    def record(
        self, tree: Tree, *, ref: str, parent: Commit | None, user: str, title: str, message: str = ""
    ) -> Commit:
        """Make a commit and move the ref to it; the caller holds the lock and has looked at the parent."""
        oid = parent.oid if parent else None
        commit = Commit(parent=oid, title=title, message=message, user=user, date=now(), tree=tree).named()
        write_whole(self.folder / "commits" / f"{commit.oid}.json", commit.written())
        self.commits[commit.oid] = commit
        self.update(refs={**self.state.refs, ref: commit.oid})
        return commit

    def expect(self, head: Commit, parent: str | None) -> None:
        """Refuse a commit that was made from another one than the head."""
        if parent and parent != head.oid:
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")

    def next_pull(self) -> str:
        numbers = [int(name.removeprefix(PULLS)) for name in self.state.refs if name.startswith(PULLS)]
        return f"{PULLS}{max(numbers, default=0) + 1}"

    def begin(self, tree: Tree, *, user: str, private: bool) -> None:
        """Make the first commit, in a folder that is not there yet."""
        (self.folder / "commits").mkdir(parents=True)
        self.state = replace(self.state, private=private)
        self.record(tree, ref=MAIN, parent=None, user=user, title="initial commit")

    def load(self) -> "Repo":
        """Read what an earlier run of the server left."""
        state = json.loads((self.folder / "state.json").read_bytes())
        lists = {name: tuple(state[name]) for name in ("granted", "former")}
        self.state = State(**state | lists)
        for path in (self.folder / "commits").glob("[0-9a-f]*.json"):
            self.commits[path.stem] = Commit.read(path.read_bytes())
        return self
