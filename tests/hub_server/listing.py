"""What the protocol says of repositories, commits and files, as JSON would hold it."""

from typing import Any

import yaml

from .card import metadata, tags
from .objects import git_hash, pointer
from .repo import HEADS, PULLS, TAGS, Commit, File, Repo
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
        "tags": tags(about, kind=repo.kind),
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
    return {"type": "file", "path": path, "size": file.size, "oid": file.oid, **lfs}


def folder(path: str, commit: Commit) -> dict[str, Any]:
    inside = [file.oid for name, file in sorted(commit.tree.items()) if name.startswith(f"{path}/")]
    return {"type": "directory", "path": path, "size": 0, "oid": git_hash("\n".join([path, *inside]).encode())}


def folders(commit: Commit) -> set[str]:
    """Return every folder a commit's files lie in."""
    return {"/".join(path.split("/")[:depth]) for path in commit.tree for depth in range(1, path.count("/") + 1)}


def entries(commit: Commit) -> dict[str, dict[str, Any]]:
    """Return every file and every folder of a commit by its path, in order."""
    found = {path: entry(path, file) for path, file in commit.tree.items()}
    found |= {path: folder(path, commit) for path in folders(commit)}
    return dict(sorted(found.items()))


def last_commit(repo: Repo, commit: Commit, path: str) -> dict[str, str]:
    """Return the commit that last changed a file."""
    past = repo.history(commit)
    same = [each for each in past if each.tree.get(path) == commit.tree.get(path)]
    changed = same[-1] if len(same) == len(past) else past[[each in same for each in past].index(False) - 1]
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
