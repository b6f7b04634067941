"""One commit on a Hub, made once: also when its answer is lost on the way and it has to be asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.errors import HubConflictError
from zoo.hub.client import Client, additions
from zoo.hub.plan import changed
from zoo.hub.publication import Plan
from zoo.hub.repository import checked, files_of, proposals_of, repo_of
from zoo.saving.folder import WEIGHTS
from zoo.saving.hub_reference import is_commit

if TYPE_CHECKING:
    from zoo.hub.client import HfApi


def committed(client: Client, plan: Plan, parent: str) -> tuple[str, bool, str]:
    """Put all that changed into one commit after `parent`; return it, whether it is ours, and a pull request's page.

    Raises:
        HubConflictError: The branch is not at `parent` any more, and what is there now is not what was to be.
        HubError: It did not work.
    """
    return _proposed(client, plan, parent) if plan.pull_request else _landed(client, plan, parent)


def _landed(client: Client, plan: Plan, parent: str) -> tuple[str, bool, str]:
    """Commit to the branch. A second try after a lost answer is refused, as the branch has moved; then it is there."""
    tries = 0

    def call(api: HfApi) -> str:
        nonlocal tries
        tries += 1
        return str(_sent(api, plan, parent).oid)

    try:
        oid = client.ask(call, asked=f"cannot publish to {plan.target}", repo=plan.target.repo)
    except HubConflictError:
        head = repo_of(client, plan.target).branches.get(plan.target.revision, "")
        if head == parent or not _holds(client, plan, head):
            raise HubConflictError(
                f"somebody else published to {plan.target} meanwhile, or is about to; nothing was changed; "
                "look at what is there now, then publish again"
            ) from None
        return head, tries > 1, ""
    return checked(oid, plan.target), True, ""


def _proposed(client: Client, plan: Plan, parent: str) -> tuple[str, bool, str]:
    """Open a pull request; before a second try, look whether the first has opened it."""
    before = proposals_of(client, plan.target)
    tries = 0

    def call(api: HfApi) -> tuple[str, str]:
        nonlocal tries
        tries += 1
        if tries > 1:
            for name, head in _new(api, plan, before).items():
                if _holds(client, plan, head):
                    return head, f"{client.endpoint}/{plan.target.repo}/discussions/{name.rpartition('/')[2]}"
        info = _sent(api, plan, parent)
        return str(info.oid), info.pr_url or ""

    oid, url = client.ask(call, asked=f"cannot propose a change to {plan.target}", repo=plan.target.repo)
    return checked(oid, plan.target), True, url


def _new(api: HfApi, plan: Plan, before: Mapping[str, str]) -> dict[str, str]:
    refs = api.list_repo_refs(plan.target.repo, include_pull_requests=True).pull_requests or []
    return {each.ref: each.target_commit for each in refs if each.ref not in before and is_commit(each.target_commit)}


def _sent(api: HfApi, plan: Plan, parent: str) -> Any:
    repo, branch = plan.target.repo, plan.target.revision
    changes = additions(plan.changed)
    large = [each for each in changes if each.path_in_repo == WEIGHTS]
    # alone, so that the client uploads it in this thread, where the guard sees each request
    api.preupload_lfs_files(repo, large, revision=branch, create_pr=plan.pull_request, free_memory=False)
    return api.create_commit(
        repo,
        changes,
        commit_message=plan.message,
        revision=branch,
        create_pr=plan.pull_request,
        parent_commit=parent,
    )


def _holds(client: Client, plan: Plan, commit: str) -> bool:
    return is_commit(commit) and not changed(plan.files, files_of(client, plan.target, commit, plan.files))
