"""What the protocol says of repositories, commits and files, as JSON would hold it."""

from itertools import takewhile
from typing import Any

import yaml

from .card import metadata, tags
from .commit import Commit, File, Tree, folders
from .objects import git_hash, pointer
from .repo import HEADS, PULLS, TAGS, Repo
from .store import Store


def card(store: Store, commit: Commit) -> dict[str, Any]:
    """Return the metadata of a commit's README, nothing where it has none worth reading."""
    readme = commit.tree.get("README.md")
    try:
        found = metadata(store.objects.read(readme.key).decode()) if readme else None
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def described(store: Store, repo: Repo, commit: Commit, *, blobs: bool = False) -> dict[str, Any]:
    about = card(store, commit)
    return {
        "_id": commit.oid[:24],
        "id": repo.id,
        "modelId": repo.id,
        "author": repo.namespace,
        "sha": commit.oid,
        "lastModified": commit.date,
        "createdAt": repo.state.created,
        "private": repo.state.private,
        "gated": repo.state.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags(about),
        "cardData": about,
        **{name: about[name] for name in ("library_name", "pipeline_tag") if name in about},
        "siblings": [sibling(path, file, blobs=blobs) for path, file in sorted(commit.tree.items())],
    }


def sibling(path: str, file: File, *, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": path}
    lfs = {"lfs": {"sha256": file.sha256, **sizes(file)}} if file.sha256 else {}
    return {"rfilename": path, "size": file.size, "blobId": file.oid, **lfs}


def sizes(file: File) -> dict[str, int]:
    return {"size": file.size, "pointerSize": len(pointer(file.key, file.size))}


def entry(path: str, file: File) -> dict[str, Any]:
    lfs = {"lfs": {"oid": file.sha256, **sizes(file)}} if file.sha256 else {}
    xet = {"xetHash": file.xet} if file.xet else {}
    return {"type": "file", "path": path, "size": file.size, "oid": file.oid, **lfs, **xet}


def below(path: str, tree: Tree) -> Tree:
    """Return the file at a path, or the files in the folder there."""
    return {name: file for name, file in tree.items() if name == path or name.startswith(f"{path}/")}


def folder(path: str, commit: Commit) -> dict[str, Any]:
    inside = sorted(f"{file.oid} {name}" for name, file in below(path, commit.tree).items())
    return {"type": "directory", "path": path, "size": 0, "oid": git_hash("\n".join(inside).encode())}


def entries(commit: Commit) -> dict[str, dict[str, Any]]:
    """Return every file and every folder of a commit by its path, in order."""
    found = {path: entry(path, file) for path, file in commit.tree.items()}
    found |= {path: folder(path, commit) for path in folders(commit.tree)}
    return dict(sorted(found.items()))


def last_commit(repo: Repo, commit: Commit, path: str) -> dict[str, str]:
    """Return the commit that last changed a file or a folder."""
    is_now = below(path, commit.tree)
    changed = commit
    for each in takewhile(lambda each: below(path, each.tree) == is_now, repo.history(commit)):
        changed = each
    return {"id": changed.oid, "title": changed.title, "date": changed.date}


def logged(commit: Commit) -> dict[str, Any]:
    authors = [{"user": commit.user}]
    return {"id": commit.oid, "title": commit.title, "message": commit.message, "date": commit.date, "authors": authors}


def refs(repo: Repo, *, pulls: bool) -> dict[str, list[dict[str, str]]]:
    kinds = {"branches": HEADS, "tags": TAGS, **({"pullRequests": PULLS} if pulls else {})}
    known = sorted(repo.state.refs.items())
    found = {
        kind: [ref(name, oid, prefix) for name, oid in known if name.startswith(prefix)]
        for kind, prefix in kinds.items()
    }
    return {"converts": [], **found}


def ref(name: str, oid: str, prefix: str) -> dict[str, str]:
    short = name if prefix == PULLS else name.removeprefix(prefix)
    return {"name": short, "ref": name, "targetCommit": oid}
