"""From a folder to a Hub: one commit with all that changed, or none; then the tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.errors import HubAccessError, HubConflictError, HubError, HubUntrustedError, listed
from zoo.folder import CARD, CONFIG, FILES, HISTORY, MAX_HISTORY, WEIGHTS, bytes_of, contents, sums
from zoo.hub.client import Client
from zoo.hub.committing import committed
from zoo.hub.reference import MAIN, Reference
from zoo.hub.remote import Remote, Repo, files_of, read, repo_of, user_of
from zoo.manifest import Manifest
from zoo.plainjson import MAX_BYTES
from zoo.reference import HUB

MAX_CARD = 1 << 20
Merge = Callable[[str, str], str]


@dataclass(frozen=True, kw_only=True)
class FilePlan:
    """A file to publish: its name, its size in bytes, and whether the repository has it otherwise or not at all."""

    name: str
    bytes: int
    changed: bool


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What was published, or with `dry_run` would be.

    Args:
        repo: `owner/name`.
        files: All that belongs to the model.
        branch: The branch it is on, or is proposed for.
        commit: The commit that holds the files; empty if there is none yet.
        url: Where to look at it.
        tag: The tag that names the commit, or empty.
        private: Whether only some may see the repository.
        is_new_repo: Whether the repository was created for it.
        is_new_commit: Whether anything had changed.
        is_done: Whether it was done; False for a `dry_run`.
    """

    repo: str
    files: tuple[FilePlan, ...]
    branch: str
    commit: str
    url: str
    tag: str
    private: bool
    is_new_repo: bool
    is_new_commit: bool
    is_done: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where to publish what, and what is there."""

    target: Reference
    repo: Repo
    files: Mapping[str, bytes]
    changed: Mapping[str, bytes]
    tag: str
    private: bool
    pull_request: bool

    @property
    def head(self) -> str:
        """The commit that the branch is, or would start from; empty if there is none."""
        return self.repo.branches.get(self.target.revision) or self.repo.branches.get(MAIN, "")


def ours(mine: str, theirs: str) -> str:
    """Return the new card; what stood in the old one is lost."""
    return mine


def push(
    folder: str | Path,
    repo: str,
    *,
    private: bool = False,
    branch: str | None = None,
    tag: str | None = None,
    pull_request: bool = False,
    message: str | None = None,
    dry_run: bool = False,
    merged: Merge = ours,
) -> Publication:
    """Publish a saved model in one commit; other files of the repository are left alone.

    Args:
        folder: What `save` wrote.
        repo: `owner/name`; it is created if it is not there.
        private: Create it so that only its owner sees it.
        branch: The branch to publish on, `main` by default; it is created from `main` if it is not there.
        tag: A tag to name the commit by; it must be free.
        pull_request: Propose the commit to the branch instead of putting it there.
        message: The commit's message.
        dry_run: Change nothing, only say what would change.
        merged: Makes one card of the new one and the one that lies there.

    Raises:
        WeightsError: The folder holds no whole saved model.
        UnknownNameError: The repository, branch or tag has no name that a Hub would give.
        HubConflictError: The tag is taken, or somebody else published meanwhile; nothing was published.
        HubError: Something else is in the way.
    """
    target = _target(repo, branch)
    _check_tag(target, tag, pull_request)
    files = _files(Path(folder))
    client = Client.here()
    _check_user(client, target)
    plan = _plan(client, target, files, tag=tag or "", private=private, pull_request=pull_request, merged=merged)
    if dry_run:
        return _told(plan, client, plan.head if not plan.changed else "", is_done=False)
    return _published(plan, client, message or f"Publish {_manifest(files).model} with zoo")


def _target(repo: str, branch: str | None) -> Reference:
    target = Reference.parse(f"{HUB}{repo.removeprefix(HUB)}")
    if target.revision != MAIN:
        raise HubError(f"cannot publish to {target}; name the branch apart: push({target.repo!r}, branch=...)")
    return replace(target, revision=branch or MAIN)


def _check_tag(target: Reference, tag: str | None, pull_request: bool) -> None:
    if tag is not None:
        replace(target, revision=tag)  # a name that a Hub would give
    if tag is not None and pull_request:
        raise HubError("a pull request cannot be tagged before it is merged; leave out tag= or pull_request=")


def _manifest(files: Mapping[str, bytes]) -> Manifest:
    return Manifest.from_json(files[CONFIG], name=CONFIG)


def _files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of a saved model's files, checked."""
    held = contents(folder)
    if not held.manifest.license:
        raise HubError(f"{folder} has no licence, so nobody may use it; save it again with license=, such as 'mit'")
    limits = {CONFIG: MAX_BYTES, HISTORY: MAX_HISTORY, CARD: MAX_CARD}
    read = {name: bytes_of(folder / name, limit=limit) for name, limit in limits.items() if (folder / name).is_file()}
    files = {**read, WEIGHTS: held.weights}
    found = sums({name: data for name, data in files.items() if name in held.manifest.files})
    if found != dict(held.manifest.files) or _manifest(files) != held.manifest:
        raise HubError(f"{folder} changed while it was read; try again")
    return {name: files[name] for name in FILES if name in files}


def _check_user(client: Client, target: Reference) -> None:
    name, role = user_of(client)
    if role == "read":
        raise HubAccessError(f"the token of {name} may only read; use one that may write {target.repo}")


def _plan(
    client: Client,
    target: Reference,
    files: dict[str, bytes],
    *,
    tag: str,
    private: bool,
    pull_request: bool,
    merged: Merge,
) -> Plan:
    repo = repo_of(client, target)
    if repo.exists and private and not repo.private:
        raise HubError(f"{target.repo} is there and everybody sees it; make it private first, or leave out private=")
    plan = Plan(
        target=target, repo=repo, files=files, changed=files, tag=tag, private=private, pull_request=pull_request
    )
    if plan.head:
        there = files_of(client, replace(target, revision=plan.head), plan.head, FILES)
        files = _with_card(client, plan, there, merged)
        plan = replace(plan, files=files, changed=_changed(files, there))
    _check_free(plan)
    return plan


def _with_card(client: Client, plan: Plan, there: Mapping[str, Remote], merged: Merge) -> dict[str, bytes]:
    """Return the files with a card that keeps what others wrote into the one that lies there."""
    files = dict(plan.files)
    if CARD not in files or CARD not in there or there[CARD].is_of(files[CARD]):
        return files
    if there[CARD].size > MAX_CARD:
        raise HubUntrustedError(f"{CARD} of {plan.target} is {there[CARD].size} bytes; zoo reads at most {MAX_CARD}")
    theirs = read(client, plan.target, CARD, commit=plan.head, remote=there[CARD])
    try:
        files[CARD] = merged(files[CARD].decode(), theirs.decode()).encode()
    except UnicodeDecodeError:
        raise HubUntrustedError(f"{CARD} of {plan.target} is no UTF-8 text; mend or remove it there") from None
    return files


def _changed(files: Mapping[str, bytes], there: Mapping[str, Remote]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name not in there or not there[name].is_of(data)}


def _check_free(plan: Plan) -> None:
    """Refuse a tag that means something else than what is about to be published."""
    taken = plan.repo.tags.get(plan.tag)
    if taken and (plan.changed or taken != plan.head):
        raise HubConflictError(f"{plan.target.repo} has a tag {plan.tag} already, commit {taken}; choose another")
    if plan.tag in plan.repo.branches:
        raise HubConflictError(f"{plan.target.repo} has a branch {plan.tag}; choose another name for the tag")
    if plan.target.revision in plan.repo.tags:
        raise HubConflictError(f"{plan.target} is a tag, which cannot move; choose another name for the branch")


def _published(plan: Plan, client: Client, message: str) -> Publication:
    ready = _with_repo(plan, client)
    commit, is_new, url = ready.head, False, ""
    if ready.changed:
        commit, is_new, url = committed(
            client,
            ready.target,
            ready.changed,
            parent=ready.head,
            message=message,
            pull_request=ready.pull_request,
        )
    there = files_of(client, replace(ready.target, revision=commit), commit, FILES)
    wrong = list(_changed(ready.files, there))
    if wrong:
        raise HubUntrustedError(
            f"commit {commit} of {ready.target.repo} does not hold the {listed(wrong)} that was sent; "
            "look whether a .gitignore there leaves it out"
        )
    if ready.tag and ready.tag not in ready.repo.tags:
        _tag(client, ready.target, ready.tag, commit)
    told = _told(plan, client, commit, is_done=True)
    return replace(told, is_new_commit=is_new, url=url or told.url)


def _with_repo(plan: Plan, client: Client) -> Plan:
    """Create the repository and the branch if they are not there."""
    target, repo = plan.target, plan.repo
    if not repo.exists:
        client.ask(
            lambda api: api.create_repo(target.repo, private=plan.private or None, exist_ok=True),
            asked=f"cannot create {target.repo}",
            repo=target.repo,
        )
        repo = repo_of(client, target)
    if target.revision not in repo.branches and repo.exists:
        client.ask(
            lambda api: api.create_branch(target.repo, branch=target.revision, exist_ok=True),
            asked=f"cannot create branch {target.revision} of {target.repo}",
            repo=target.repo,
        )
        repo = repo_of(client, target)
    if target.revision not in repo.branches:
        raise HubUntrustedError(f"{client.endpoint} says it has made {target}, and does not list it; try again later")
    if plan.private and not repo.private:
        raise HubError(f"{target.repo} was to be private and is not; make it so, then publish again")
    return replace(plan, repo=repo)


def _tag(client: Client, target: Reference, tag: str, commit: str) -> None:
    try:
        client.ask(
            lambda api: api.create_tag(target.repo, tag=tag, revision=commit),
            asked=f"cannot tag {target.repo} as {tag}",
            repo=target.repo,
        )
    except HubConflictError:
        taken = repo_of(client, target).tags.get(tag)
        if taken != commit:  # else an earlier try had done it, and only its answer was lost
            raise HubConflictError(
                f"{target} is published as commit {commit}, but somebody else has made a tag {tag} meanwhile "
                f"({taken}); choose another and publish again"
            ) from None


def _told(plan: Plan, client: Client, commit: str, *, is_done: bool) -> Publication:
    shown = f"/tree/{plan.tag or commit or plan.target.revision}" if plan.repo.exists or is_done else ""
    return Publication(
        repo=plan.target.repo,
        files=tuple(
            FilePlan(name=name, bytes=len(data), changed=name in plan.changed) for name, data in plan.files.items()
        ),
        branch=plan.target.revision,
        commit=commit,
        url=f"{client.endpoint}/{plan.target.repo}{shown}",
        tag=plan.tag,
        private=plan.repo.private if plan.repo.exists else plan.private,
        is_new_repo=not plan.repo.exists,
        is_new_commit=bool(plan.changed),
        is_done=is_done,
    )
