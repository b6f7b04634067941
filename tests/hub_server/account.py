"""Routes about users and whole repositories: whoami, create, delete, move, settings, lists, cards."""

from .access import creator_in, logged_in, sees, visible, writer, writer_of
from .card import complaints
from .exchange import Answer, Request, as_json
from .listing import described
from .refusal import Refusal
from .repo import Repo

PREFIXES = {"model": "", "dataset": "datasets/", "space": "spaces/"}


def address(request: Request, repo: Repo) -> str:
    """Return the page of a repository."""
    return f"{request.url}/{PREFIXES[repo.kind]}{repo.id}"


def whoami(request: Request) -> Answer:
    user = logged_in(request.user)
    return as_json(
        {
            "type": "user",
            "id": user.name,
            "name": user.name,
            "fullname": user.name,
            "orgs": [{"type": "org", "name": name, "roleInOrg": user.role} for name in user.orgs],
            "auth": {"type": "access_token", "accessToken": {"displayName": "a token", "role": user.role}},
        }
    )


def create(request: Request) -> Answer:
    asked = request.json()
    kind = asked.get("type") or "model"
    namespace = asked.get("organization") or writer(request.user).name
    user = creator_in(request.user, namespace, kind)
    private = asked.get("visibility") == "private" or asked.get("private") is True
    id = f"{namespace}/{asked['name']}"
    try:
        repo = request.store.create(id, kind=kind, user=user.name, private=private)
    except Refusal as refusal:
        refusal.more["url"] = f"{request.url}/{PREFIXES[kind]}{id}"
        raise
    return as_json({"url": address(request, repo), "name": id, "id": id})


def delete(request: Request) -> Answer:
    asked = request.json()
    namespace = asked.get("organization") or writer(request.user).name
    repo = visible(request.store, request.user, asked.get("type") or "model", f"{namespace}/{asked['name']}")
    writer_of(request.user, repo)
    request.store.delete(repo)
    return as_json({})


def move(request: Request) -> Answer:
    asked = request.json()
    repo = visible(request.store, request.user, asked.get("type") or "model", asked["fromRepo"])
    writer_of(request.user, repo)
    creator_in(request.user, asked["toRepo"].split("/")[0], repo.kind)
    request.store.rename(repo, asked["toRepo"])
    return as_json({})


def settings(request: Request, repo: Repo) -> Answer:
    asked = request.json()
    if "visibility" in asked:
        repo.update(private=asked["visibility"] == "private")
    if "gated" in asked:
        repo.update(gated=asked["gated"])
    return as_json({"private": repo.state.private, "gated": repo.state.gated})


def auth_check(request: Request, repo: Repo) -> Answer:
    return as_json({})


def validate_yaml(request: Request) -> Answer:
    asked = request.json()
    errors, warnings = complaints(asked.get("content", ""))
    found = {"errors": [{"message": each} for each in errors], "warnings": [{"message": each} for each in warnings]}
    return as_json(found, status=400 if errors else 200)


def repos(request: Request, kind: str) -> Answer:
    """List what the caller may see, by author, words of the name, and tags."""
    author, words = request.query.get("author", [""])[0], request.query.get("search", [""])[0].lower()
    tags = {*request.query.get("filter", [])}
    seen = [repo for repo in request.store if repo.kind == kind and sees(request.user, repo)]
    named = [repo for repo in seen if author in ("", repo.namespace) and words in repo.id.lower()]
    found = [described(request.store, repo, repo.main) for repo in named]
    limit = int(request.query.get("limit", ["1000"])[0])
    return as_json([each for each in found if tags <= {*each["tags"]}][:limit])
