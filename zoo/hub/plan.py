"""Before anything is published: read the folder, look at the repository, and see what would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from zoo.errors import HubConflictError, HubError, HubNotFoundError, HubUntrustedError
from zoo.files.paths import read_bytes
from zoo.hub.client import HubClient
from zoo.hub.repository import (
    MAX_CARD_BYTES,
    MAX_FILE_BYTES,
    RemoteFile,
    RepoInfo,
    get_repo_info,
    list_files,
    read_file,
)
from zoo.saving.folder import CARD, CONFIG, FILES, WEIGHTS, hash_files, read_model_files
from zoo.saving.manifest import Manifest
from zoo.saving.reference import HUB_PREFIX, MAIN_BRANCH, HubReference

MergeCards = Callable[[str, str], str]


@dataclass(frozen=True, kw_only=True)
class FilePlan:
    """A file to publish: its name, its size in bytes, and whether the repository has it otherwise or not at all."""

    name: str
    bytes: int
    changed: bool


@dataclass(frozen=True, kw_only=True)
class PushResult:
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
class PushPlan:
    """Where to publish what, and what is there.

    Args:
        target: The repository, and as revision the branch.
        repo: What there is under that name.
        files: The bytes of all files by name.
        changed_files: Those that the branch has otherwise or not at all.
        tag: The tag to make, or empty.
        private: Whether a new repository is to be seen by its owner alone.
        pull_request: Whether to propose the commit only.
        message: The commit's message.
    """

    target: HubReference
    repo: RepoInfo
    files: Mapping[str, bytes]
    changed_files: Mapping[str, bytes]
    tag: str
    private: bool
    pull_request: bool
    message: str

    @property
    def head(self) -> str:
        """The commit that the branch is, or would start from; empty if there is none."""
        return self.repo.branches.get(self.target.revision) or self.repo.branches.get(MAIN_BRANCH, "")

    def to_result(
        self, endpoint: str, *, commit: str = "", url: str = "", new_commit: bool = True, done: bool
    ) -> PushResult:
        """Return what came of the plan."""
        page = f"{endpoint}/{self.target.repo_id}" + (f"/tree/{quote(self.tag or commit, safe='')}" if commit else "")
        return PushResult(
            repo=self.target.repo_id,
            files=tuple(
                FilePlan(name=n, bytes=len(data), changed=n in self.changed_files) for n, data in self.files.items()
            ),
            branch=self.target.revision,
            commit=commit,
            url=url or page,
            tag=self.tag,
            private=self.repo.private if self.repo.exists else self.private,
            is_new_repo=not self.repo.exists,
            is_new_commit=new_commit,
            is_done=done,
        )


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
