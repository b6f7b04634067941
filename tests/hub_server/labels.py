"""Routes that make and remove tags and branches."""

from .exchange import Answer, Request, as_json
from .names import check_label
from .refusal import Refusal, no_revision
from .repo import HEADS, MAIN, TAGS, Repo


def tag(request: Request, repo: Repo, rev: str) -> Answer:
    return fresh(repo, TAGS, request.json()["tag"], rev)


def branch(request: Request, repo: Repo, name: str) -> Answer:
    return fresh(repo, HEADS, name, request.json().get("startingPoint", "main"))


def fresh(repo: Repo, prefix: str, name: str, rev: str) -> Answer:
    """Make a ref that is not there."""
    check_label(name)
    with repo.lock:
        target = repo.at(rev)
        if prefix + name in repo.state.refs:
            raise Refusal(409, f"Reference already exists: {prefix}{name}")
        repo.move(prefix + name, target.oid)
    return as_json({})


def delete_tag(request: Request, repo: Repo, name: str) -> Answer:
    return gone(repo, TAGS, name)


def delete_branch(request: Request, repo: Repo, name: str) -> Answer:
    if HEADS + name == MAIN:
        raise Refusal(403, "the branch main cannot be deleted")
    return gone(repo, HEADS, name)


def gone(repo: Repo, prefix: str, name: str) -> Answer:
    with repo.lock:
        if prefix + name not in repo.state.refs:
            raise no_revision(name)
        repo.move(prefix + name, None)
    return as_json({})
