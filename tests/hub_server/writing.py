"""Routes that change one repository: uploads, commits, tags, branches."""

import base64
import hashlib
import json
from fnmatch import fnmatch
from typing import Any

from .access import writer_of
from .account import address
from .exchange import Answer, Request, Setting, as_json
from .refusal import Refusal, bad_request, no_entry, no_revision
from .repo import HEADS, MAIN, PULLS, TAGS, Commit, File, Repo
from .store import LARGE, check_path, check_tree


def preupload(request: Request, repo: Repo, rev: str) -> Answer:
    """Say of each file how to send it, and what is there under its name."""
    tree = repo.at(rev).tree
    ignored = request.json().get("gitIgnore", "").splitlines()
    return as_json({"files": [advised(request.setting, tree, ignored, file) for file in request.json()["files"]]})


def advised(setting: Setting, tree: Any, ignored: list[str], file: dict[str, Any]) -> dict[str, Any]:
    path, there = file["path"], tree.get(file["path"])
    is_large = path.rsplit(".", 1)[-1] in LARGE or file["size"] > setting.lfs_over
    skip = any(fnmatch(path, line) or fnmatch(path.rsplit("/", 1)[-1], line) for line in ignored if line.strip())
    known = {"oid": there.key} if there else {}
    return {"path": path, "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": skip, **known}


def lfs_batch(request: Request, repo: Repo) -> Answer:
    """Say of each object where to put it; one that is there needs no putting."""
    objects = [placed(request, repo, each["oid"], each["size"]) for each in request.json()["objects"]]
    several = any("chunk_size" in each.get("actions", {}).get("upload", {}).get("header", {}) for each in objects)
    return as_json({"transfer": "multipart" if several else "basic", "objects": objects})


def placed(request: Request, repo: Repo, oid: str, size: int) -> dict[str, Any]:
    if oid in request.store.objects:
        return {"oid": oid, "size": size}
    verify = {"href": f"{address(request, repo)}.git/info/lfs/objects/verify"}
    return {"oid": oid, "size": size, "actions": {"upload": upload_of(request, oid, size), "verify": verify}}


def upload_of(request: Request, oid: str, size: int) -> dict[str, Any]:
    part, place = request.setting.part_size, f"{request.cdn_url}/upload/{oid}"
    if size <= part:
        return {"href": f"{place}?size={size}"}
    count = -(-size // part)
    parts = {str(number): f"{place}/{number}" for number in range(1, count + 1)}
    return {"href": f"{request.url}/complete/{oid}", "header": {"chunk_size": str(part), **parts}}


def lfs_put(request: Request, oid: str) -> Answer:
    size = int(request.query["size"][0])
    request.store.objects.add_large(request.body, sha256=oid, size=size)
    return Answer()


def lfs_put_part(request: Request, oid: str, number: str) -> Answer:
    request.store.objects.parts[oid, int(number)] = request.body
    return Answer(headers={"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})


def lfs_complete(request: Request, oid: str) -> Answer:
    request.store.objects.join(oid, count=len(request.json()["parts"]))
    return as_json({})


def lfs_verify(request: Request, repo: Repo) -> Answer:
    asked = request.json()
    request.store.large(asked["oid"], asked["size"])
    return as_json({})


def commit(request: Request, repo: Repo, rev: str) -> Answer:
    """Apply every operation or none, and move one ref."""
    header, operations = parsed(request.body)
    if not request.asks("create_pr"):
        writer_of(request.user, repo)
    with repo.lock:
        ref, head = target(request, repo, rev, header.get("parentCommit"))
        tree = applied(request, head, operations)
        words = {"title": header["summary"], "message": header.get("description", "")}
        made = repo.record(tree, ref=ref, parent=head, user=request.user.name, **words)
    page = address(request, repo)
    pull = {"pullRequestUrl": f"{page}/discussions/{ref.removeprefix(PULLS)}"} if request.asks("create_pr") else {}
    return as_json({"success": True, "commitOid": made.oid, "commitUrl": f"{page}/commit/{made.oid}", **pull})


def parsed(body: bytes) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """Read the lines of a commit: its header first, then its operations."""
    try:
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        header, *operations = [(line["key"], line["value"]) for line in lines]
    except (ValueError, TypeError, KeyError):
        raise bad_request("the commit cannot be read") from None
    if header[0] != "header" or not header[1].get("summary"):
        raise bad_request("a commit begins with a header that has a summary")
    return header[1], operations


def target(request: Request, repo: Repo, rev: str, parent: str | None) -> tuple[str, Commit]:
    """Return the ref that will move and the commit it is built on."""
    head = repo.at(rev)
    if request.asks("create_pr"):
        return repo.next_pull(), repo.at(parent) if parent else head
    ref = repo.ref(rev)
    if ref is None or ref.startswith(TAGS):
        raise no_revision(rev)
    repo.expect(head, parent)
    return ref, head


def applied(request: Request, head: Commit, operations: list[tuple[str, dict[str, Any]]]) -> dict[str, File]:
    tree = dict(head.tree)
    for key, value in operations:
        check_path(value["path"].rstrip("/") if key == "deletedFolder" else value["path"])
        OPERATIONS[key](request, tree, value)
    check_tree(tree)
    return tree


def add_file(request: Request, tree: dict[str, File], value: dict[str, Any]) -> None:
    tree[value["path"]] = request.store.regular(base64.b64decode(value["content"]))


def add_large(request: Request, tree: dict[str, File], value: dict[str, Any]) -> None:
    tree[value["path"]] = request.store.large(value["oid"], value.get("size"))


def delete_file(request: Request, tree: dict[str, File], value: dict[str, Any]) -> None:
    if tree.pop(value["path"], None) is None:
        raise no_entry("A file with this name doesn't exist")


def delete_folder(request: Request, tree: dict[str, File], value: dict[str, Any]) -> None:
    inside = [path for path in tree if path.startswith(value["path"].rstrip("/") + "/")]
    if not inside:
        raise no_entry("A folder with this name doesn't exist")
    for path in inside:
        del tree[path]


OPERATIONS = {"file": add_file, "lfsFile": add_large, "deletedFile": delete_file, "deletedFolder": delete_folder}


def tag(request: Request, repo: Repo, rev: str) -> Answer:
    return fresh(repo, TAGS + request.json()["tag"], rev)


def branch(request: Request, repo: Repo, name: str) -> Answer:
    return fresh(repo, HEADS + name, request.json().get("startingPoint", "main"))


def fresh(repo: Repo, ref: str, rev: str) -> Answer:
    """Make a ref that is not there."""
    with repo.lock:
        target = repo.at(rev)
        if ref in repo.state.refs:
            raise Refusal(409, f"Reference already exists: {ref}")
        repo.move(ref, target.oid)
    return as_json({})


def delete_tag(request: Request, repo: Repo, name: str) -> Answer:
    return gone(repo, TAGS + name)


def delete_branch(request: Request, repo: Repo, name: str) -> Answer:
    if HEADS + name == MAIN:
        raise Refusal(403, "the branch main cannot be deleted")
    return gone(repo, HEADS + name)


def gone(repo: Repo, ref: str) -> Answer:
    with repo.lock:
        if ref not in repo.state.refs:
            raise no_revision(ref)
        repo.move(ref, None)
    return as_json({})
