"""The route that commits: every operation or none, and one ref moves."""

import base64
import json
from typing import Any

from .account import address
from .commit import Commit, File
from .exchange import Answer, Request, as_json
from .names import check_path, check_tree
from .refusal import bad_request, no_entry, no_revision
from .repo import PULLS, TAGS, Repo
from .store import Store

Operation = tuple[str, dict[str, Any]]


def commit(request: Request, repo: Repo, rev: str) -> Answer:
    """Apply the operations to the head of a branch, or open a pull request with them."""
    header, operations = parsed(request.body)
    with repo.lock:
        ref, head = target(request, repo, rev, header.get("parentCommit"))
        tree = applied(request.store, head, operations)
        words = {"title": header["summary"], "message": header.get("description", "")}
        made = repo.record(tree, ref=ref, parent=head, user=request.user.name, **words)
    page = address(request, repo)
    pull = {"pullRequestUrl": f"{page}/discussions/{ref.removeprefix(PULLS)}"} if request.asks("create_pr") else {}
    return as_json({"success": True, "commitOid": made.oid, "commitUrl": f"{page}/commit/{made.oid}", **pull})


def parsed(body: bytes) -> tuple[dict[str, Any], list[Operation]]:
    """Read the lines of a commit: its header first, then its operations."""
    try:
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        (first, header), *operations = [(line["key"], line["value"]) for line in lines]
    except (ValueError, TypeError, KeyError):
        raise bad_request("the commit cannot be read") from None
    if first != "header" or not header.get("summary"):
        raise bad_request("a commit begins with a header that has a summary")
    return header, operations


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


def applied(store: Store, head: Commit, operations: list[Operation]) -> dict[str, File]:
    """Return the tree after all operations; the head's stays what it is."""
    tree = dict(head.tree)
    for key, value in operations:
        if key not in OPERATIONS:
            raise bad_request(f"a commit knows no operation {key!r}")
        check_path(value["path"].removesuffix("/") if key == "deletedFolder" else value["path"])
        OPERATIONS[key](store, tree, value)
    check_tree(tree)
    return tree


def add_file(store: Store, tree: dict[str, File], value: dict[str, Any]) -> None:
    tree[value["path"]] = store.regular(base64.b64decode(value["content"]))


def add_large(store: Store, tree: dict[str, File], value: dict[str, Any]) -> None:
    tree[value["path"]] = store.large(value["oid"], value.get("size"))


def delete_file(store: Store, tree: dict[str, File], value: dict[str, Any]) -> None:
    if tree.pop(value["path"], None) is None:
        raise no_entry("A file with this name doesn't exist")


def delete_folder(store: Store, tree: dict[str, File], value: dict[str, Any]) -> None:
    inside = [path for path in tree if path.startswith(value["path"].removesuffix("/") + "/")]
    if not inside:
        raise no_entry("A folder with this name doesn't exist")
    for path in inside:
        del tree[path]


OPERATIONS = {"file": add_file, "lfsFile": add_large, "deletedFile": delete_file, "deletedFolder": delete_folder}
