"""From a folder to a Hub: one commit with all that changed, or none; then the tag."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zoo.errors import HubAccessError, HubConflictError, HubError, HubUntrustedError, join_names
from zoo.hub.client import HubClient
from zoo.hub.commit import create_commit
from zoo.hub.plan import (
    MergeCards,
    PushPlan,
    PushResult,
    compare_with_repository,
    find_changed_files,
    parse_manifest,
    parse_target,
    read_files,
)
from zoo.hub.repository import RepoInfo, get_repo_info, get_user, list_files
from zoo.saving.folder import FILES
from zoo.saving.reference import HubReference


def replace_card(new: str, existing: str) -> str:
    """Return the new card; what stood in the old one is lost."""
    return new


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
    merge_cards: MergeCards = replace_card,
) -> PushResult:
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
        merge_cards: Makes one card of the new one and the one that lies there.

    Raises:
        WeightsError: The folder holds no whole saved model.
        UnknownNameError: The repository, branch or tag has no name that a Hub would give.
        HubConflictError: The tag is taken, or somebody else published meanwhile; nothing was published.
        HubError: Something else is in the way.
    """
    target = parse_target(repo, branch)
    _check_tag(target, tag, pull_request)
    files = read_files(Path(folder).expanduser())
    client = HubClient.from_environment()
    _check_user(client, target)
    plan = compare_with_repository(
        PushPlan(
            target=target,
            repo=RepoInfo(exists=False),
            files=files,
            changed_files=files,
            tag=tag or "",
            private=private,
            pull_request=pull_request,
            message=message or f"Publish {parse_manifest(files).model} with zoo",
        ),
        client,
        merge_cards,
    )
    if dry_run:
        there = "" if plan.changed_files else plan.head
        return plan.to_result(client.endpoint, commit=there, new_commit=bool(plan.changed_files), done=False)
    return _publish(plan, client)


def _check_tag(target: HubReference, tag: str | None, pull_request: bool) -> None:
    if tag is not None:
        replace(target, revision=tag)  # refuses what is no name for a tag
    if tag is not None and pull_request:
        raise HubError("a pull request cannot be tagged before it is merged; leave out tag= or pull_request=")


def _check_user(client: HubClient, target: HubReference) -> None:
    name, role = get_user(client)
    if role == "read":
        raise HubAccessError(f"the token of {name} may only read; use one that may write {target.repo_id}")


def _publish(plan: PushPlan, client: HubClient) -> PushResult:
    parent = _prepare_branch(plan, client)
    commit, is_new, url = create_commit(client, plan, parent) if plan.changed_files else (parent, False, "")
    wrong = list(find_changed_files(plan.files, list_files(client, plan.target, commit, FILES)))
    if wrong:
        raise HubUntrustedError(
            f"commit {commit} of {plan.target.repo_id} does not hold the {join_names(wrong)} that was sent; "
            "look whether a .gitignore there leaves it out"
        )
    if plan.tag and plan.tag not in plan.repo.tags:
        _create_tag(client, plan.target, plan.tag, commit)
    return plan.to_result(client.endpoint, commit=commit, url=url, new_commit=is_new, done=True)


def _prepare_branch(plan: PushPlan, client: HubClient) -> str:
    """Return the commit to build on; the repository and the branch are created if they are not there."""
    repo = plan.repo if plan.repo.exists else _create_repo(plan, client)
    branch = plan.target.revision
    if branch not in repo.branches:
        start = replace(plan, repo=repo).head
        client.call_api(
            lambda api: api.create_branch(plan.target.repo_id, branch=branch, revision=start or None, exist_ok=True),
            problem=f"cannot create branch {branch} of {plan.target.repo_id}",
            repo_id=plan.target.repo_id,
        )
        repo = get_repo_info(client, plan.target)
        if repo.branches.get(branch) != start:
            raise HubConflictError(f"somebody else made {plan.target} meanwhile; look at it, then publish again")
    return repo.branches[branch]


def _create_repo(plan: PushPlan, client: HubClient) -> RepoInfo:
    target = plan.target
    client.call_api(
        lambda api: api.create_repo(target.repo_id, private=plan.private or None, exist_ok=True),
        problem=f"cannot create {target.repo_id}",
        repo_id=target.repo_id,
    )
    repo = get_repo_info(client, target)
    head = replace(plan, repo=repo).head
    if plan.private and not repo.private:
        raise HubError(f"{target.repo_id} was to be private and is not; make it so, then publish again")
    if not head:
        raise HubUntrustedError(
            f"{client.endpoint} says it has made {target.repo_id}, but lists nothing there; try again"
        )
    if list_files(client, target, head, FILES):
        raise HubConflictError(f"somebody else published to {target} meanwhile; look at it, then publish again")
    return repo


def _create_tag(client: HubClient, target: HubReference, tag: str, commit: str) -> None:
    try:
        client.call_api(
            lambda api: api.create_tag(target.repo_id, tag=tag, revision=commit),
            problem=f"cannot tag {target.repo_id} as {tag}",
            repo_id=target.repo_id,
        )
    except HubConflictError:
        taken = get_repo_info(client, target).tags.get(tag)
        if taken != commit:  # else an earlier try had done it, and only its answer was lost
            raise HubConflictError(
                f"{target} is published as commit {commit}, but somebody else has made a tag {tag} meanwhile "
                f"({taken}); choose another and publish again"
            ) from None
