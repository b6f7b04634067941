"""From a folder to a Hub: one commit with all that changed, or none; then the tag."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zoo.errors import HubAccessError, HubConflictError, HubError, HubUntrustedError, listed
from zoo.hub.client import Client
from zoo.hub.commit import committed
from zoo.hub.plan import Merge, changed, compared, files_in, manifest_in, target_of
from zoo.hub.publication import Plan, Publication
from zoo.hub.repository import Repo, files_of, repo_of, user_of
from zoo.saving.folder import FILES
from zoo.saving.hub_reference import Reference


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
    target = target_of(repo, branch)
    _check_tag(target, tag, pull_request)
    files = files_in(Path(folder).expanduser())
    client = Client.here()
    _check_user(client, target)
    plan = compared(
        Plan(
            target=target,
            repo=Repo(exists=False),
            files=files,
            changed=files,
            tag=tag or "",
            private=private,
            pull_request=pull_request,
            message=message or f"Publish {manifest_in(files).model} with zoo",
        ),
        client,
        merged,
    )
    if dry_run:
        there = "" if plan.changed else plan.head
        return plan.told(client.endpoint, commit=there, is_new=bool(plan.changed), is_done=False)
    return _published(plan, client)


def _check_tag(target: Reference, tag: str | None, pull_request: bool) -> None:
    if tag is not None:
        replace(target, revision=tag)  # refuses what is no name for a tag
    if tag is not None and pull_request:
        raise HubError("a pull request cannot be tagged before it is merged; leave out tag= or pull_request=")


def _check_user(client: Client, target: Reference) -> None:
    name, role = user_of(client)
    if role == "read":
        raise HubAccessError(f"the token of {name} may only read; use one that may write {target.repo}")


def _published(plan: Plan, client: Client) -> Publication:
    parent = _parent(plan, client)
    commit, is_new, url = committed(client, plan, parent) if plan.changed else (parent, False, "")
    wrong = list(changed(plan.files, files_of(client, plan.target, commit, FILES)))
    if wrong:
        raise HubUntrustedError(
            f"commit {commit} of {plan.target.repo} does not hold the {listed(wrong)} that was sent; "
            "look whether a .gitignore there leaves it out"
        )
    if plan.tag and plan.tag not in plan.repo.tags:
        _tag(client, plan.target, plan.tag, commit)
    return plan.told(client.endpoint, commit=commit, url=url, is_new=is_new, is_done=True)


def _parent(plan: Plan, client: Client) -> str:
    """Return the commit to build on; the repository and the branch are created if they are not there."""
    repo = plan.repo if plan.repo.exists else _created(plan, client)
    branch = plan.target.revision
    if branch not in repo.branches:
        start = replace(plan, repo=repo).head
        client.ask(
            lambda api: api.create_branch(plan.target.repo, branch=branch, revision=start or None, exist_ok=True),
            asked=f"cannot create branch {branch} of {plan.target.repo}",
            repo=plan.target.repo,
        )
        repo = repo_of(client, plan.target)
        if repo.branches.get(branch) != start:
            raise HubConflictError(f"somebody else made {plan.target} meanwhile; look at it, then publish again")
    return repo.branches[branch]


def _created(plan: Plan, client: Client) -> Repo:
    target = plan.target
    client.ask(
        lambda api: api.create_repo(target.repo, private=plan.private or None, exist_ok=True),
        asked=f"cannot create {target.repo}",
        repo=target.repo,
    )
    repo = repo_of(client, target)
    head = replace(plan, repo=repo).head
    if plan.private and not repo.private:
        raise HubError(f"{target.repo} was to be private and is not; make it so, then publish again")
    if not head:
        raise HubUntrustedError(f"{client.endpoint} says it has made {target.repo}, but lists nothing there; try again")
    if files_of(client, target, head, FILES):
        raise HubConflictError(f"somebody else published to {target} meanwhile; look at it, then publish again")
    return repo


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
