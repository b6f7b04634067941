"""Map the requests of the protocol to their handlers, with the right that each needs."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlencode

from . import account, committing, labels, page, reading, uploading, xet
from .access import reader_of_files, visible, writer, writer_of
from .exchange import Answer, Request
from .refusal import Refusal
from .repo import Repo

WORDS = {
    "{api}": r"/api/(?P<kind>model|dataset|space)s/(?P<id>[^/]+/[^/]+)",
    "{web}": r"/(?:(?P<kind>dataset|space)s/)?(?P<id>(?!api/)[^/]+/[^/]+)",
    "{rev}": r"(?P<rev>[^/]+)",
    "{name}": r"(?P<name>[^/]+)",
    "{path}": r"(?P<path>.+)",
    "{oid}": r"(?P<oid>[0-9a-f]{64})",
}


@dataclass(frozen=True)
class Route:
    """One route; the caller needs the right `need` before the handler is called."""

    kind: str  # what faults and the log call it
    method: str
    place: str
    answer: Callable[..., Answer]
    need: str = "nothing"  # nothing, read, files, propose, write

    @property
    def pattern(self) -> re.Pattern[str]:
        pattern = self.place
        for word, meaning in WORDS.items():
            pattern = pattern.replace(word, meaning)
        return re.compile(pattern)


ROUTES = (
    Route("whoami", "GET", "/api/whoami-v2", account.whoami),
    Route("create", "POST", "/api/repos/create", account.create),
    Route("delete", "DELETE", "/api/repos/delete", account.delete),
    Route("move", "POST", "/api/repos/move", account.move),
    Route("settings", "PUT", "{api}/settings", account.settings, "write"),
    Route("validate-yaml", "POST", "/api/validate-yaml", account.validate_yaml),
    Route("preupload", "POST", "{api}/preupload/{rev}", uploading.preupload, "propose"),
    Route("lfs-batch", "POST", r"{web}\.git/info/lfs/objects/batch", uploading.batch, "propose"),
    Route("lfs-put", "PUT", "/upload/{oid}", uploading.put),
    Route("lfs-put", "PUT", "/upload/{oid}/(?P<number>[0-9]+)", uploading.put_part),
    Route("lfs-complete", "POST", "/complete/{oid}", uploading.complete),
    Route("lfs-verify", "POST", r"{web}\.git/info/lfs/objects/verify", uploading.verify, "propose"),
    Route("commit", "POST", "{api}/commit/{rev}", committing.commit, "propose"),
    Route("info", "GET", "{api}", reading.info, "read"),
    Route("info", "GET", "{api}/revision/{rev}", reading.info, "read"),
    Route("tree", "GET", "{api}/tree/{rev}(?:/{path})?", reading.tree, "read"),
    Route("paths-info", "POST", "{api}/paths-info/{rev}", reading.paths_info, "read"),
    Route("refs", "GET", "{api}/refs", reading.list_refs, "read"),
    Route("commits", "GET", "{api}/commits/{rev}", reading.commits, "read"),
    Route("tag", "POST", "{api}/tag/{rev}", labels.tag, "write"),
    Route("delete-tag", "DELETE", "{api}/tag/{name}", labels.delete_tag, "write"),
    Route("branch", "POST", "{api}/branch/{name}", labels.branch, "write"),
    Route("delete-branch", "DELETE", "{api}/branch/{name}", labels.delete_branch, "write"),
    Route("auth-check", "GET", "{api}/auth-check", account.auth_check, "files"),
    Route("auth-check", "GET", "{api}/auth-check/write", account.auth_check, "write"),
    Route("list", "GET", "/api/(?P<kind>model|dataset|space)s", account.repos),
    Route("resolve-head", "HEAD", "{web}/resolve/{rev}/{path}", reading.resolve, "files"),
    Route("resolve-get", "GET", "{web}/resolve/{rev}/{path}", reading.resolve, "files"),
    Route("cdn", "GET", "/cdn/(?P<key>[0-9a-f]{64})", reading.cdn),
    Route("cdn", "HEAD", "/cdn/(?P<key>[0-9a-f]{64})", reading.cdn),
    Route("xet-token", "GET", "{api}/xet-read-token/{rev}", xet.token, "files"),
    Route("xet-token", "GET", "{api}/xet-write-token/{rev}", xet.token, "propose"),
    Route("page", "GET", "/", page.index),
    Route("page", "GET", "{web}", page.repository, "read"),
    Route("page", "GET", "{web}/(?:tree|commit)/{rev}", page.repository, "read"),
)
PATTERNS = [(route, route.pattern) for route in ROUTES]
UNKNOWN = Route("unknown", "*", "", page.nothing)


def match(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the route of a request and the words found in its path; what has no HEAD of its own answers as to GET."""
    for route, pattern in PATTERNS:
        found = pattern.fullmatch(path) if route.method == method else None
        if found:
            words = {name: unquote(text) for name, text in found.groupdict().items() if text is not None}
            return route, words
    return match("GET", path) if method == "HEAD" else (UNKNOWN, {})


def answer(request: Request, route: Route, words: dict[str, str]) -> Answer:
    """Answer a request, once its caller is known to be allowed to ask."""
    if route.need == "nothing":
        return route.answer(request, **words)
    kind, id = words.pop("kind", "model"), words.pop("id")
    repo = visible(request.store, request.user, kind, id)
    if repo.id != id:
        return moved(request, id, repo)
    NEEDS[route.need](request, repo)
    return route.answer(request, repo, **words)


def moved(request: Request, id: str, repo: Repo) -> Answer:
    """Send whoever asks for a former name to the name a repository has now."""
    query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
    return Answer(status=307, headers={"Location": f"{request.path.replace(id, repo.id, 1)}{query}"})


def propose(request: Request, repo: Repo) -> None:
    """Let any writer who sees a repository open a pull request; the rest is for its own writers."""
    opens_pull = request.asks("create_pr") or "/info/lfs/" in request.path
    writer(request.user) if opens_pull else writer_of(request.user, repo)


NEEDS: dict[str, Callable[[Request, Repo], object]] = {
    "read": lambda request, repo: None,
    "files": lambda request, repo: reader_of_files(request.user, repo),
    "propose": propose,
    "write": lambda request, repo: writer_of(request.user, repo),
}


def tried(request: Request, route: Route, words: dict[str, str]) -> Answer:
    """Answer a request, and refuse one that lacks what its route reads."""
    try:
        return answer(request, route, words)
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(400, f"the request cannot be read: {error!r}") from error
