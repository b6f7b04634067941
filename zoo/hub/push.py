"""Push a saved model to a Hub: one commit with all changed files, or none; then the tag."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.errors import HubAccessError, HubConflictError, HubError, HubUntrustedError, join_names
from zoo.hub.client import HubClient
from zoo.hub.commit import CommitResult, create_commit
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
    """Return the new card; the existing one is dropped."""
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
        folder: A folder that `save` wrote.
        repo: `owner/name`; created if it does not exist.
        private: Make a new repository private.
        branch: The branch to commit to, `main` by default; created from `main` if it does not exist.
        tag: Tag to give the commit; it must be free.
        pull_request: Open a pull request instead of committing to the branch.
        message: The commit's message.
        dry_run: Change nothing, only return what would change.
        merge_cards: Makes one card from the new one and the existing one.

    Raises:
        WeightsError: The folder is not a whole saved model.
        UnknownNameError: The name of the repository, branch or tag is not valid on a Hub.
        HubConflictError: The tag is taken, or someone else published at the same time; nothing was published.
        HubError: The Hub cannot be reached, or refuses the push.
    """
    target = parse_target(repo, branch)
    _check_tag(target, tag, pull_request)
    files = read_files(Path(folder).expanduser())
    client = HubClient.from_environment()
    _check_user(client, target)
    message = message or f"Publish {parse_manifest(files).model} with zoo"
    options: dict[str, Any] = {"tag": tag or "", "private": private, "pull_request": pull_request, "message": message}
    plan = PushPlan(target=target, repo=RepoInfo(exists=False), files=files, changed_files=files, **options)
    plan = compare_with_repository(plan, client, merge_cards)
    return _preview(plan, client) if dry_run else _publish(plan, client)


def _preview(plan: PushPlan, client: HubClient) -> PushResult:
    """Return the result that publishing would have."""
    commit = "" if plan.changed_files else plan.head
    return plan.to_result(client.endpoint, commit=commit, new_commit=bool(plan.changed_files), done=False)


def _check_tag(target: HubReference, tag: str | None, pull_request: bool) -> None:
    if tag is not None:
        replace(target, revision=tag)  # raises for a name that no tag can have
    if tag is not None and pull_request:
        raise HubError("a pull request cannot be tagged before it is merged; leave out tag= or pull_request=")


def _check_user(client: HubClient, target: HubReference) -> None:
    user = get_user(client)
    if user.role == "read":
        raise HubAccessError(f"the token of {user.name} may only read; use one that may write {target.repo_id}")


def _publish(plan: PushPlan, client: HubClient) -> PushResult:
    parent = _prepare_branch(plan, client)
    created = create_commit(client, plan, parent) if plan.changed_files else CommitResult(parent, is_new=False)
    commit = created.commit
    wrong = list(find_changed_files(plan.files, list_files(client, plan.target, commit, FILES)))
    if wrong:
        raise HubUntrustedError(
            f"commit {commit} of {plan.target.repo_id} does not hold the {join_names(wrong)} that was sent; "
            "check whether a .gitignore there leaves it out"
        )
    if plan.tag and plan.tag not in plan.repo.tags:
        _create_tag(client, plan.target, plan.tag, commit)
    return plan.to_result(client.endpoint, commit=commit, url=created.url, new_commit=created.is_new, done=True)


def _prepare_branch(plan: PushPlan, client: HubClient) -> str:
    """Create the repository and the branch if they do not exist, and return the branch's last commit."""
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
            raise HubConflictError(
                f"someone else created {plan.target} at the same time; look at it, then publish again"
            )
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
        raise HubError(f"{target.repo_id} is not private; make it private on the Hub, then publish again")
    if not head:
        raise HubUntrustedError(
            f"{client.endpoint} says it has created {target.repo_id}, but lists nothing there; try again"
        )
    if list_files(client, target, head, FILES):
        raise HubConflictError(f"someone else published to {target} at the same time; look at it, then publish again")
    return repo


def _create_tag(client: HubClient, target: HubReference, tag: str, commit: str) -> None:
    try:
        client.call_api(
            lambda api: api.create_tag(target.repo_id, tag=tag, revision=commit),
            problem=f"cannot tag {target.repo_id} as {tag}",
            repo_id=target.repo_id,
        )
    except HubConflictError:
        tag_commit = get_repo_info(client, target).tags.get(tag)
        if tag_commit != commit:  # otherwise an earlier attempt created it, and only its answer was lost
            raise HubConflictError(
                f"{target} is published as commit {commit}, but someone else has created a tag {tag} at the same time "
                f"({tag_commit}); choose another and publish again"
            ) from None
