"""Create a commit on a Hub exactly once, even if the answer is lost and the request has to be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.errors import HubConflictError
from zoo.hub.client import HubClient, make_operations
from zoo.hub.plan import PushPlan, find_changed_files
from zoo.hub.repository import check_commit, get_repo_info, list_files, list_pull_requests
from zoo.saving.folder import WEIGHTS
from zoo.saving.reference import is_commit

if TYPE_CHECKING:
    from zoo.hub.client import HfApi


class CommitResult(NamedTuple):
    """A commit, whether this call created it, and the URL of its pull request or an empty string."""

    commit: str
    is_new: bool
    url: str = ""


def create_commit(client: HubClient, plan: PushPlan, parent: str) -> CommitResult:
    """Create one commit after `parent` with all changed files, on the branch or in a pull request.

    Raises:
        HubConflictError: The branch has moved away from `parent`, and its files are not the planned ones.
        HubError: The commit failed.
    """
    return _open_pull_request(client, plan, parent) if plan.pull_request else _commit_to_branch(client, plan, parent)


def _commit_to_branch(client: HubClient, plan: PushPlan, parent: str) -> CommitResult:
    """Commit to the branch.

    If the answer of the first attempt was lost, the Hub refuses the second, since the branch has moved. The commit is
    then there already.
    """
    attempts = 0

    def call(api: HfApi) -> str:
        nonlocal attempts
        attempts += 1
        return str(_send_commit(api, plan, parent).oid)

    try:
        oid = client.call_api(call, problem=f"cannot publish to {plan.target}", repo_id=plan.target.repo_id)
    except HubConflictError:
        head = get_repo_info(client, plan.target).branches.get(plan.target.revision, "")
        if head == parent or not _has_files(client, plan, head):
            raise HubConflictError(
                f"someone else published to {plan.target} at the same time; nothing was changed; "
                "look at what is there now, then publish again"
            ) from None
        return CommitResult(head, is_new=attempts > 1)
    return CommitResult(check_commit(oid, plan.target), is_new=True)


def _open_pull_request(client: HubClient, plan: PushPlan, parent: str) -> CommitResult:
    """Open a pull request; before a second attempt, look whether the first has opened it."""
    before = list_pull_requests(client, plan.target)
    attempts = 0

    def call(api: HfApi) -> tuple[str, str]:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            for name, head in _find_new_pull_requests(api, plan, before).items():
                if _has_files(client, plan, head):
                    return head, f"{client.endpoint}/{plan.target.repo_id}/discussions/{name.rpartition('/')[2]}"
        info = _send_commit(api, plan, parent)
        return str(info.oid), info.pr_url or ""

    oid, url = client.call_api(call, problem=f"cannot propose a change to {plan.target}", repo_id=plan.target.repo_id)
    return CommitResult(check_commit(oid, plan.target), is_new=True, url=url)


def _find_new_pull_requests(api: HfApi, plan: PushPlan, before: Mapping[str, str]) -> dict[str, str]:
    refs = api.list_repo_refs(plan.target.repo_id, include_pull_requests=True).pull_requests or []
    return {each.ref: each.target_commit for each in refs if each.ref not in before and is_commit(each.target_commit)}


def _send_commit(api: HfApi, plan: PushPlan, parent: str) -> Any:
    repo, branch = plan.target.repo_id, plan.target.revision
    changes = make_operations(plan.changed_files)
    large = [each for each in changes if each.path_in_repo == WEIGHTS]
    # upload the weights alone: the client then does it in this thread, where the guard sees each request
    api.preupload_lfs_files(repo, large, revision=branch, create_pr=plan.pull_request, free_memory=False)
    return api.create_commit(
        repo,
        changes,
        commit_message=plan.message,
        revision=branch,
        create_pr=plan.pull_request,
        parent_commit=parent,
    )


def _has_files(client: HubClient, plan: PushPlan, commit: str) -> bool:
    return is_commit(commit) and not find_changed_files(plan.files, list_files(client, plan.target, commit, plan.files))
