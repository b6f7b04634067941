"""All repositories and all bytes, in one folder that outlives the server."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

from .objects import Objects, git_hash, pointer
from .refusal import Refusal, bad_request
from .repo import MAIN, Commit, File, Repo, Tree

LARGE = (
    "7z",
    "arrow",
    "bin",
    "ckpt",
    "gz",
    "h5",
    "npy",
    "npz",
    "onnx",
    "parquet",
    "pkl",
    "pt",
    "pth",
    "safetensors",
    "zip",
)
ATTRIBUTES = "".join(f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in LARGE).encode()
REPO_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?")


def check_path(path: str) -> None:
    """Refuse a path that would leave the folder it is downloaded to, or hurt there."""
    parts = path.split("/")
    if "\\" in path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise bad_request(f"not a path for a file of a repository: {path!r}")
    if not path.isprintable():
        raise bad_request(f"a path may hold printable characters only: {path!r}")


def check_tree(tree: Tree) -> None:
    """Refuse a tree in which one name is a file and a folder."""
    folders = {"/".join(path.split("/")[:depth]) for path in tree for depth in range(1, path.count("/") + 1)}
    clash = folders & tree.keys()
    if clash:
        raise bad_request(f"a file and a folder of one name: {', '.join(sorted(clash))}")


class Store:
    """What the server keeps: `objects/` and `repos/<kind>/<namespace>/<name>/`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.objects = Objects(folder / "objects")
        self.lock = threading.RLock()
        self._repos = {(repo.kind, repo.id): repo.load() for repo in self._found()}

    def __iter__(self) -> Iterator[Repo]:
        return iter(list(self._repos.values()))

    def repo(self, id: str, *, kind: str = "model") -> Repo:
        """Return a repository that is there."""
        return self._repos[kind, id]

    def find(self, kind: str, id: str) -> Repo | None:
        return self._repos.get((kind, id))

    def create(self, kind: str, id: str, *, user: str, private: bool = False) -> Repo:
        """Make a repository with the one file every new repository has."""
        if not all(REPO_NAME.fullmatch(part) for part in id.split("/")) or "--" in id or ".." in id:
            raise bad_request(f"not a name for a repository: {id!r}")
        with self.lock:
            if (kind, id) in self._repos:
                raise Refusal(409, f"You already created this {kind} repo: {id}")
            repo = Repo(self._folder(kind, id), kind=kind, id=id)
            repo.create({".gitattributes": self.regular(ATTRIBUTES)}, user=user, private=private)
            self._repos[kind, id] = repo
        return repo

    def delete(self, repo: Repo) -> None:
        with self.lock, repo.lock:
            del self._repos[repo.kind, repo.id]
            repo.remove()

    def rename(self, repo: Repo, id: str) -> None:
        with self.lock, repo.lock:
            if (repo.kind, id) in self._repos:
                raise Refusal(409, f"there is a {repo.kind} repo {id} already")
            folder = self._folder(repo.kind, id)
            folder.parent.mkdir(parents=True, exist_ok=True)
            repo.folder = repo.folder.rename(folder)
            self._repos[repo.kind, id] = self._repos.pop((repo.kind, repo.id))
            repo.id = id

    def regular(self, data: bytes) -> File:
        """Keep bytes as git would."""
        return File(oid=self.objects.add_regular(data), size=len(data))

    def large(self, sha256: str, size: int | None = None) -> File:
        """Return an LFS file whose bytes have been uploaded; refuse one whose bytes have not."""
        if not re.fullmatch("[0-9a-f]{64}", sha256) or sha256 not in self.objects:
            raise bad_request(f"no object {sha256} was uploaded")
        found = self.objects.size(sha256)
        if size is not None and size != found:
            raise bad_request(f"object {sha256} has {found} bytes, not {size}")
        return File(oid=git_hash(pointer(sha256, found)), size=found, sha256=sha256)

    def plant(self, repo: Repo, files: dict[str, bytes], *, ref: str = MAIN, title: str = "planted") -> Commit:
        """Commit these regular files past every check, hostile names included."""
        with repo.lock:
            head = repo.at(ref)
            tree = {**head.tree, **{path: self.regular(data) for path, data in files.items()}}
            return repo.record(tree, ref=ref, parent=head, user=repo.namespace, title=title)

    def _folder(self, kind: str, id: str) -> Path:
        return self.folder / "repos" / kind / id

    def _found(self) -> Iterator[Repo]:
        for path in sorted((self.folder / "repos").glob("*/*/*/state.json")):
            kind, namespace, name = path.parts[-4:-1]
            yield Repo(path.parent, kind=kind, id=f"{namespace}/{name}")
