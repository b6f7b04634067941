"""All repositories and all bytes, in one folder that outlives the server."""

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import rmtree

from .commit import Commit, File
from .names import LARGE, check_repo, is_large
from .objects import Objects, git_hash, pointer
from .refusal import Refusal, bad_request
from .repo import MAIN, Repo
from .shards import stored

ATTRIBUTES = "".join(f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in LARGE).encode()


class Store:
    """What the server keeps: `objects/` and `repos/<kind>/<namespace>/<name>/`; `xet` is where Xet's client keeps."""

    def __init__(self, folder: Path, *, xet: Path | None = None):
        self.folder = folder
        self.xet = xet
        self.objects = Objects(folder / "objects")
        self.lock = threading.RLock()
        self._repos = {(repo.kind, repo.id): repo.load() for repo in self._found()}

    def __iter__(self) -> Iterator[Repo]:
        return iter(list(self._repos.values()))

    def repo(self, id: str, *, kind: str = "model") -> Repo:
        """Return a repository that is there."""
        return self._repos[kind, id]

    def find(self, id: str, *, kind: str = "model") -> Repo | None:
        """Return the repository of this name, or the one that had it before."""
        former = (repo for repo in self if repo.kind == kind and id in repo.state.former)
        return self._repos.get((kind, id)) or next(former, None)

    def create(self, id: str, *, kind: str = "model", user: str = "", private: bool = False) -> Repo:
        """Make a repository with the one file every new repository has."""
        check_repo(id)
        with self.lock:
            if (kind, id) in self._repos:
                raise Refusal(409, f"You already created this {kind} repo: {id}")
            repo = Repo(self._folder(kind, id), kind=kind, id=id)
            repo.begin({".gitattributes": self.regular(ATTRIBUTES)}, user=user or repo.namespace, private=private)
            self._repos[kind, id] = repo
        return repo

    def delete(self, repo: Repo) -> None:
        with self.lock, repo.lock:
            del self._repos[repo.kind, repo.id]
            rmtree(repo.folder)

    def rename(self, repo: Repo, id: str) -> None:
        check_repo(id)
        with self.lock, repo.lock:
            if (repo.kind, id) in self._repos:
                raise Refusal(409, f"there is a {repo.kind} repo {id} already")
            folder = self._folder(repo.kind, id)
            folder.parent.mkdir(parents=True, exist_ok=True)
            repo.folder = repo.folder.rename(folder)
            self._repos[repo.kind, id] = self._repos.pop((repo.kind, repo.id))
            repo.update(former=(*repo.state.former, repo.id))
            repo.id = id

    def regular(self, data: bytes) -> File:
        """Keep bytes as git would."""
        return File(oid=self.objects.add_regular(data), size=len(data))

    def large(self, sha256: str, size: int | None = None) -> File:
        """Return an LFS file whose bytes have been uploaded; refuse one whose bytes have not."""
        elsewhere = stored(self.xet).get(sha256) if self.xet else None
        if elsewhere is None and not (re.fullmatch("[0-9a-f]{64}", sha256) and sha256 in self.objects):
            raise bad_request(f"no object {sha256} was uploaded")
        found = elsewhere.size if elsewhere else self.objects.size(sha256)
        if size is not None and size != found:
            raise bad_request(f"object {sha256} has {found} bytes, not {size}")
        xet = elsewhere.xet if elsewhere else None
        return File(oid=git_hash(pointer(sha256, found)), size=found, sha256=sha256, xet=xet)

    def keep(self, path: str, data: bytes) -> File:
        """Keep bytes as a file of this name is kept."""
        if not is_large(path):
            return self.regular(data)
        sha256 = hashlib.sha256(data).hexdigest()
        self.objects.add_large(data, sha256=sha256)
        return self.large(sha256)

    def plant(self, repo: Repo, files: Mapping[str, bytes], *, ref: str = MAIN) -> Commit:
        """Commit these files to a ref past every check, hostile names included."""
        with repo.lock:
            head = repo.at(ref)
            tree = {**head.tree, **{path: self.keep(path, data) for path, data in files.items()}}
            return repo.record(tree, ref=ref, parent=head, user=repo.namespace, title="planted")

    def corrupt(self, repo: Repo, path: str, data: bytes, *, rev: str = "main") -> None:
        """Replace the bytes of a file and leave all that is said of them: hash, size, ETag."""
        self.objects.replace(repo.at(rev).tree[path].key, data)

    def _folder(self, kind: str, id: str) -> Path:
        return self.folder / "repos" / kind / id

    def _found(self) -> Iterator[Repo]:
        for path in sorted((self.folder / "repos").glob("*/*/*/state.json")):
            kind, namespace, name = path.parts[-4:-1]
            yield Repo(path.parent, kind=kind, id=f"{namespace}/{name}")
