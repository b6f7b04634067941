"""Who may see, read, propose to and write a repository."""

from collections.abc import Mapping
from dataclasses import dataclass

from .refusal import Refusal
from .repo import Repo
from .store import Store

LOGGED_OUT = "Invalid username or password."


@dataclass(frozen=True)
class User:
    """Who a token speaks for: what it may do (`read` or `write`) and the organizations it writes for."""

    name: str
    role: str = "write"
    orgs: tuple[str, ...] = ()

    @property
    def namespaces(self) -> tuple[str, ...]:
        return (self.name, *self.orgs)


def who(tokens: Mapping[str, User], authorization: str | None) -> User | None:
    """Return the user of an authorization header; a token nobody has is refused on every route."""
    if not authorization:
        return None
    user = tokens.get(authorization.removeprefix("Bearer "))
    if user is None:
        raise Refusal(401, "Invalid credentials in Authorization header")
    return user


def logged_in(user: User | None) -> User:
    if user is None:
        raise Refusal(401, LOGGED_OUT)
    return user


def writer(user: User | None) -> User:
    """Return a user whose token may write somewhere."""
    if logged_in(user).role != "write":
        raise Refusal(403, "Forbidden: you must use a write token to upload to a repository.")
    return user


def sees(user: User | None, repo: Repo) -> bool:
    return not repo.state.private or (user is not None and repo.namespace in user.namespaces)


def visible(store: Store, user: User | None, kind: str, id: str) -> Repo:
    """Return a repository, which for whoever may not see it is not there."""
    repo = store.find(id, kind=kind)
    if repo is None or not sees(user, repo):
        status, message = (404, "Repository not found") if user else (401, LOGGED_OUT)
        raise Refusal(status, message, code="RepoNotFound")
    return repo


def reader_of_files(user: User | None, repo: Repo) -> None:
    """Refuse the files of a gated repository to whoever was not granted them; its listing is open."""
    if not repo.state.gated or (user and {*user.namespaces} & {repo.namespace, *repo.state.granted}):
        return
    restricted = f"Access to {repo.kind} {repo.id} is restricted"
    if user is None:
        raise Refusal(401, f"{restricted}. You must be authenticated to access it.", code="GatedRepo")
    raise Refusal(403, f"{restricted} and you are not in the authorized list.", code="GatedRepo")


def writer_of(user: User | None, repo: Repo) -> User:
    if repo.namespace not in writer(user).namespaces:
        raise Refusal(403, "Authorization error.")
    return user


def creator_in(user: User | None, namespace: str, kind: str) -> User:
    if namespace not in writer(user).namespaces:
        raise Refusal(403, f'You don\'t have the rights to create a {kind} under the namespace "{namespace}"')
    return user
