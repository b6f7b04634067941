"""One commit on a Hub, made once: also when its answer is lost on the way and it has to be asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.errors import HubConflictError
from zoo.folder import WEIGHTS
from zoo.hub.client import Client, additions
from zoo.hub.reference import Reference, is_commit
from zoo.hub.remote import files_of, proposals_of, repo_of

if TYPE_CHECKING:
    from zoo.hub.client import HfApi


def committed(
    client: Client, target: Reference, files: Mapping[str, bytes], *, parent: str, message: str, pull_request: bool
) -> tuple[str, bool, str]:
    """Put all files into one commit after `parent`; return the commit, whether it is new, and a pull request's page.

    Raises:
        HubConflictError: The branch is not at `parent` any more, and what is there now are not these files.
        HubError: It did not work.
    """
    commit = _proposed if pull_request else _landed
    return commit(client, target, files, parent, message)


def _landed(
    client: Client, target: Reference, files: Mapping[str, bytes], parent: str, message: str
) -> tuple[str, bool, str]:
    """Commit to the branch. A second try after a lost answer finds the branch moved, by what it would have done."""
    tries = 0

    def call(api: HfApi) -> Any:
        nonlocal tries
        tries += 1
        return _sent(api, target, files, parent, message, pull_request=False)

    try:
        info = client.ask(call, asked=f"cannot publish to {target}", repo=target.repo)
    except HubConflictError:
        head = repo_of(client, target).branches.get(target.revision, "")
        if head == parent or not _holds(client, target, head, files):
            raise HubConflictError(
                f"somebody else published to {target} meanwhile, or is about to; look at what is there now, "
                "then publish again"
            ) from None
        return head, tries > 1, ""
    return info.oid, True, ""


def _proposed(
    client: Client, target: Reference, files: Mapping[str, bytes], parent: str, message: str
) -> tuple[str, bool, str]:
    """Open a pull request; before a second try, look whether the first has opened it."""
    before = proposals_of(client, target)
    tries = 0

    def call(api: HfApi) -> tuple[str, str]:
        nonlocal tries
        tries += 1
        if tries > 1:
            for name, head in _new(api, target, before).items():
                if _holds(client, target, head, files):
                    return head, f"{client.endpoint}/{target.repo}/discussions/{name.rpartition('/')[2]}"
        info = _sent(api, target, files, parent, message, pull_request=True)
        return info.oid, info.pr_url or ""

    oid, url = client.ask(call, asked=f"cannot propose a change to {target}", repo=target.repo)
    return oid, True, url


def _new(api: HfApi, target: Reference, before: Mapping[str, str]) -> dict[str, str]:
    refs = api.list_repo_refs(target.repo, include_pull_requests=True).pull_requests or []
    return {each.ref: each.target_commit for each in refs if each.ref not in before and is_commit(each.target_commit)}


def _sent(
    api: HfApi, target: Reference, files: Mapping[str, bytes], parent: str, message: str, *, pull_request: bool
) -> Any:
    changes = additions(files)
    large = [each for each in changes if each.path_in_repo == WEIGHTS]
    # alone, so that the client uploads it in this thread, where the guard sees each request
    api.preupload_lfs_files(target.repo, large, revision=target.revision, create_pr=pull_request, free_memory=False)
    return api.create_commit(
        target.repo,
        changes,
        commit_message=message,
        revision=target.revision,
        create_pr=pull_request,
        parent_commit=parent,
    )


def _holds(client: Client, target: Reference, commit: str, files: Mapping[str, bytes]) -> bool:
    if not is_commit(commit):
        return False
    there = files_of(client, target, commit, files)
    return all(name in there and there[name].is_of(data) for name, data in files.items())
