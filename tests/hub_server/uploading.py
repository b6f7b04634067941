"""Routes that take bytes in before a commit names them."""

from fnmatch import fnmatch
from typing import Any

from .account import address
from .commit import Tree
from .exchange import Answer, Request, as_json
from .names import is_large
from .repo import Repo


def preupload(request: Request, repo: Repo, rev: str) -> Answer:
    """Say of each file how to send it, and what is there under its name."""
    tree = repo.at(rev).tree
    ignored = request.json().get("gitIgnore", "").splitlines()
    return as_json({"files": [advised(request, tree, ignored, file) for file in request.json()["files"]]})


def advised(request: Request, tree: Tree, ignored: list[str], file: dict[str, Any]) -> dict[str, Any]:
    path, there = file["path"], tree.get(file["path"])
    large = is_large(path) or file["size"] > request.setting.lfs_over
    skip = any(fnmatch(path, line) or fnmatch(path.rpartition("/")[2], line) for line in ignored if line.strip())
    known = {"oid": there.key} if there else {}
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": skip, **known}


def batch(request: Request, repo: Repo) -> Answer:
    """Say of each object where to put it; one that is there needs no putting."""
    objects = [placed(request, repo, each["oid"], each["size"]) for each in request.json()["objects"]]
    several = any("header" in each["actions"]["upload"] for each in objects if "actions" in each)
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


def put(request: Request, oid: str) -> Answer:
    size = int(request.query["size"][0])
    request.store.objects.add_large(request.body, sha256=oid, size=size)
    return Answer()


def put_part(request: Request, oid: str, number: str) -> Answer:
    return Answer(headers={"ETag": request.store.objects.add_part(request.body, sha256=oid, number=int(number))})


def complete(request: Request, oid: str) -> Answer:
    etags = {int(part["partNumber"]): part["etag"] for part in request.json()["parts"]}
    request.store.objects.join(oid, etags=etags)
    return as_json({})


def verify(request: Request, repo: Repo) -> Answer:
    asked = request.json()
    request.store.large(asked["oid"], asked["size"])
    return as_json({})
