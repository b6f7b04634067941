"""Routes that read one repository: what it is, what it lists, its files."""

from typing import Any
from urllib.parse import parse_qs, urlencode

from . import xet
from .commit import Commit, File
from .exchange import Answer, Request, as_json, ranged
from .listing import described, entries, last_commit, logged, refs
from .refusal import Refusal, no_entry
from .repo import Repo


def info(request: Request, repo: Repo, rev: str = "main") -> Answer:
    return as_json(described(request.store, repo, repo.at(rev), blobs=request.asks("blobs")))


def tree(request: Request, repo: Repo, rev: str, path: str = "") -> Answer:
    """List a folder, page by page."""
    commit = repo.at(rev)
    below = f"{path}/" if path else ""
    found = {name: each for name, each in entries(commit).items() if name.startswith(below)}
    if path and not found:
        raise no_entry(f"{path} does not exist on {rev}", commit=commit.oid)
    if not request.asks("recursive"):
        found = {name: each for name, each in found.items() if "/" not in name.removeprefix(below)}
    return paged(request, told(request, repo, commit, found))


def told(request: Request, repo: Repo, commit: Commit, found: dict[str, Any]) -> list[Any]:
    """Add to each file the commit that last changed it, if requested."""
    if not request.asks("expand"):
        return list(found.values())
    return [{**each, "lastCommit": last_commit(repo, commit, name)} for name, each in found.items()]


def paths_info(request: Request, repo: Repo, rev: str) -> Answer:
    commit = repo.at(rev)
    form = parse_qs(request.body.decode())
    known = entries(commit)
    found = {path: known[path] for path in form.get("paths", []) if path in known}
    asks = form.get("expand", ["false"])[0].lower() == "true"
    return as_json(told(request, repo, commit, found) if asks else list(found.values()))


def list_refs(request: Request, repo: Repo) -> Answer:
    return as_json(refs(repo, pulls=request.asks("include_prs")))


def commits(request: Request, repo: Repo, rev: str) -> Answer:
    return paged(request, [logged(each) for each in repo.history(repo.at(rev))])


def paged(request: Request, listing: list[Any]) -> Answer:
    """Answer with one page and the address of the next."""
    start = int(request.query.get("cursor", ["0"])[0])
    end = start + request.setting.page_size
    if end >= len(listing):
        return as_json(listing[start:])
    query = urlencode({**request.query, "cursor": [end]}, doseq=True)
    return as_json(listing[start:end], headers={"Link": f'<{request.url}{request.path}?{query}>; rel="next"'})


def resolve(request: Request, repo: Repo, rev: str, path: str) -> Answer:
    """Answer with a file, or send the caller to where its bytes are."""
    commit = repo.at(rev)
    file = commit.tree.get(path)
    if file is None:
        raise no_entry(commit=commit.oid)
    headers = {"X-Repo-Commit": commit.oid}
    if file.sha256:
        return elsewhere(request, file, headers | (xet.reference(request, repo, commit, file) if file.xet else {}))
    return ranged(request, request.store.objects.read(file.key), {**headers, "ETag": f'"{file.oid}"'})


def elsewhere(request: Request, file: File, headers: dict[str, str]) -> Answer:
    where = f"{request.cdn_url}/cdn/{file.sha256}"
    linked = {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
    return Answer(status=302, headers={**headers, **linked, "Location": where})


def cdn(request: Request, key: str) -> Answer:
    """Serve bytes at the other origin, where no token should ever arrive."""
    if key not in request.store.objects:
        raise Refusal(404, "no such object")
    if "Authorization" in request.headers:
        raise Refusal(400, "an authorization header was sent to the CDN")
    return ranged(request, request.store.objects.read(key), {"ETag": f'"{key}"'})
