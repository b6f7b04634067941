"""Before anything is published: read the folder, look at the repository, and see what would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from zoo.errors import HubConflictError, HubError, HubNotFoundError, HubUntrustedError
from zoo.files.checked_json import MAX_JSON_BYTES
from zoo.files.paths import read_bytes
from zoo.hub.client import HubClient
from zoo.hub.publication import PushPlan
from zoo.hub.repository import RemoteFile, get_repo_info, list_files, read_file
from zoo.saving.folder import CARD, CONFIG, FILES, HISTORY, MAX_HISTORY_BYTES, WEIGHTS, hash_files, read_model_files
from zoo.saving.manifest import Manifest
from zoo.saving.reference import HUB_PREFIX, MAIN_BRANCH, HubReference

MAX_CARD_BYTES = 1 << 20
MAX_FILE_BYTES = {CONFIG: MAX_JSON_BYTES, HISTORY: MAX_HISTORY_BYTES, CARD: MAX_CARD_BYTES}
"""Most bytes of a file that zoo publishes or downloads; the weights are as large as they are."""

MergeCards = Callable[[str, str], str]


def parse_target(repo: str, branch: str | None) -> HubReference:
    """Return the repository and branch to publish to.

    Raises:
        UnknownNameError: One has no name that a Hub would give.
        HubError: The repository is given with a revision.
    """
    target = HubReference.parse(f"{HUB_PREFIX}{repo.removeprefix(HUB_PREFIX)}")
    if target.revision != MAIN_BRANCH:
        raise HubError(f"cannot publish to {target}; name the branch apart: push({target.repo_id!r}, branch=...)")
    return replace(target, revision=branch or MAIN_BRANCH)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of a saved model's files, checked.

    Raises:
        WeightsError: It is no whole saved model.
        HubError: It has no licence.
    """
    held = read_model_files(folder)
    if not held.manifest.license:
        raise HubError(f"{folder} has no licence, so nobody may use it; save it again with license=, such as 'mit'")
    small = {
        name: read_bytes(folder / name, limit=MAX_FILE_BYTES[name])
        for name in MAX_FILE_BYTES
        if (folder / name).is_file()
    }
    files = {**small, WEIGHTS: held.weights}
    found = hash_files({name: data for name, data in files.items() if name in held.manifest.files})
    if found != dict(held.manifest.files) or parse_manifest(files) != held.manifest:
        raise HubError(f"{folder} changed while it was read; try again")
    return {name: files[name] for name in FILES if name in files}


def parse_manifest(files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest among a saved model's files."""
    return Manifest.from_json(files[CONFIG], name=CONFIG)


def compare_with_repository(plan: PushPlan, client: HubClient, merge_cards: MergeCards) -> PushPlan:
    """Return the plan with what is there, the card that keeps what others wrote, and what would change.

    Raises:
        HubConflictError: The tag is taken.
        HubError: The Hub does not say, or what it says is in the way.
    """
    plan = replace(plan, repo=get_repo_info(client, plan.target))
    if plan.repo.exists and plan.private and not plan.repo.private:
        raise HubError(
            f"{plan.target.repo_id} is there and everybody sees it; make it private first, or leave out private="
        )
    if plan.pull_request and not plan.head:
        raise HubNotFoundError(f"there is no {plan.target.repo_id} to propose a change to; leave out pull_request=")
    if plan.head:
        there = list_files(client, plan.target, plan.head, FILES)
        files = _merge_card(client, plan, there, merge_cards)
        plan = replace(plan, files=files, changed_files=find_changed_files(files, there))
    _check_names_free(plan)
    return plan


def find_changed_files(files: Mapping[str, bytes], remote: Mapping[str, RemoteFile]) -> dict[str, bytes]:
    """Return those of the files that are not there, or are other bytes there."""
    return {name: data for name, data in files.items() if name not in remote or not remote[name].is_match(data)}


def _merge_card(
    client: HubClient, plan: PushPlan, remote: Mapping[str, RemoteFile], merge_cards: MergeCards
) -> dict[str, bytes]:
    files = dict(plan.files)
    if CARD not in files or CARD not in remote or remote[CARD].is_match(files[CARD]):
        return files
    if remote[CARD].size > MAX_CARD_BYTES:
        raise HubUntrustedError(
            f"{CARD} of {plan.target} is {remote[CARD].size} bytes; zoo reads at most {MAX_CARD_BYTES}"
        )
    theirs = read_file(client, plan.target, CARD, commit=plan.head, remote=remote[CARD])
    try:
        files[CARD] = merge_cards(files[CARD].decode(), theirs.decode()).encode()
    except UnicodeDecodeError:
        raise HubUntrustedError(f"{CARD} of {plan.target} is no UTF-8 text; mend or remove it there") from None
    return files


def _check_names_free(plan: PushPlan) -> None:
    """Refuse a tag or branch whose name means something else already."""
    repo, tag, branch = plan.target.repo_id, plan.tag, plan.target.revision
    taken = plan.repo.tags.get(tag)
    if taken and (plan.changed_files or taken != plan.head):
        raise HubConflictError(f"{repo} has a tag {tag} already, commit {taken}; choose another")
    if tag and tag in {*plan.repo.branches, branch}:
        raise HubConflictError(f"{tag} is a branch of {repo}; choose another name for the tag")
    if branch in plan.repo.tags:
        raise HubConflictError(f"{branch} is a tag of {repo}, which cannot move; choose another name for the branch")
