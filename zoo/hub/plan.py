"""Before anything is published: read the folder, look at the repository, and see what would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from zoo.errors import HubConflictError, HubError, HubNotFoundError, HubUntrustedError
from zoo.files.checked_json import MAX_BYTES
from zoo.hub.client import Client
from zoo.hub.publication import Plan
from zoo.hub.repository import Remote, files_of, read, repo_of
from zoo.saving.folder import CARD, CONFIG, FILES, HISTORY, MAX_HISTORY, WEIGHTS, bytes_of, contents, sums
from zoo.saving.hub_reference import MAIN, Reference
from zoo.saving.manifest import Manifest
from zoo.saving.reference import HUB

MAX_CARD = 1 << 20
LIMITS = {CONFIG: MAX_BYTES, HISTORY: MAX_HISTORY, CARD: MAX_CARD}
"""Most bytes of a file that zoo publishes or downloads; the weights are as large as they are."""

Merge = Callable[[str, str], str]


def target_of(repo: str, branch: str | None) -> Reference:
    """Return the repository and branch to publish to.

    Raises:
        UnknownNameError: One has no name that a Hub would give.
        HubError: The repository is given with a revision.
    """
    target = Reference.parse(f"{HUB}{repo.removeprefix(HUB)}")
    if target.revision != MAIN:
        raise HubError(f"cannot publish to {target}; name the branch apart: push({target.repo!r}, branch=...)")
    return replace(target, revision=branch or MAIN)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the bytes of a saved model's files, checked.

    Raises:
        WeightsError: It is no whole saved model.
        HubError: It has no licence.
    """
    held = contents(folder)
    if not held.manifest.license:
        raise HubError(f"{folder} has no licence, so nobody may use it; save it again with license=, such as 'mit'")
    small = {name: bytes_of(folder / name, limit=LIMITS[name]) for name in LIMITS if (folder / name).is_file()}
    files = {**small, WEIGHTS: held.weights}
    found = sums({name: data for name, data in files.items() if name in held.manifest.files})
    if found != dict(held.manifest.files) or manifest_in(files) != held.manifest:
        raise HubError(f"{folder} changed while it was read; try again")
    return {name: files[name] for name in FILES if name in files}


def manifest_in(files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest among a saved model's files."""
    return Manifest.from_json(files[CONFIG], name=CONFIG)


def compared(plan: Plan, client: Client, merged: Merge) -> Plan:
    """Return the plan with what is there, the card that keeps what others wrote, and what would change.

    Raises:
        HubConflictError: The tag is taken.
        HubError: The Hub does not say, or what it says is in the way.
    """
    plan = replace(plan, repo=repo_of(client, plan.target))
    if plan.repo.exists and plan.private and not plan.repo.private:
        raise HubError(
            f"{plan.target.repo} is there and everybody sees it; make it private first, or leave out private="
        )
    if plan.pull_request and not plan.head:
        raise HubNotFoundError(f"there is no {plan.target.repo} to propose a change to; leave out pull_request=")
    if plan.head:
        there = files_of(client, plan.target, plan.head, FILES)
        files = _with_card(client, plan, there, merged)
        plan = replace(plan, files=files, changed=changed(files, there))
    _check_free(plan)
    return plan


def changed(files: Mapping[str, bytes], there: Mapping[str, Remote]) -> dict[str, bytes]:
    """Return those of the files that are not there, or are other bytes there."""
    return {name: data for name, data in files.items() if name not in there or not there[name].is_of(data)}


def _with_card(client: Client, plan: Plan, there: Mapping[str, Remote], merged: Merge) -> dict[str, bytes]:
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


def _check_free(plan: Plan) -> None:
    """Refuse a tag or branch whose name means something else already."""
    repo, tag, branch = plan.target.repo, plan.tag, plan.target.revision
    taken = plan.repo.tags.get(tag)
    if taken and (plan.changed or taken != plan.head):
        raise HubConflictError(f"{repo} has a tag {tag} already, commit {taken}; choose another")
    if tag and tag in {*plan.repo.branches, branch}:
        raise HubConflictError(f"{tag} is a branch of {repo}; choose another name for the tag")
    if branch in plan.repo.tags:
        raise HubConflictError(f"{branch} is a tag of {repo}, which cannot move; choose another name for the branch")
