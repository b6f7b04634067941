"""Plan a push before anything is sent: read the folder, look at the repository, and find what would change.

A `PushPlan` says what to publish where, and what is there; `to_result` makes it the `PushResult` for the user, with a
`FilePlan` per file.
"""

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
    """A file to publish: its name, its size in bytes, and whether it is new or changed in the repository."""

    name: str
    bytes: int
    changed: bool


@dataclass(frozen=True, kw_only=True)
class PushResult:
    """What was published, or with `dry_run` would be.

    Args:
        repo: `owner/name`.
        files: All files of the model.
        branch: The branch of the commit, or of the pull request.
        commit: The commit that holds the files; empty if there is none yet.
        url: Web page of the commit or pull request.
        tag: The tag of the commit, or empty.
        private: Whether the repository is private.
        is_new_repo: Whether the push creates the repository.
        is_new_commit: Whether the push creates a commit.
        is_done: False for a `dry_run`.
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
    """What to publish where, and what is there.

    Args:
        target: The repository, with the branch as revision.
        repo: The repository as the Hub describes it.
        files: The bytes of all files by name.
        changed_files: Those that are new or changed on the branch.
        tag: The tag to create, or empty.
        private: Make a new repository private.
        pull_request: Open a pull request instead of committing to the branch.
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
        """The last commit of the branch, or the one it would start from; empty if there is none."""
        return self.repo.branches.get(self.target.revision) or self.repo.branches.get(MAIN_BRANCH, "")

    def to_result(
        self, endpoint: str, *, commit: str = "", url: str = "", new_commit: bool = True, done: bool
    ) -> PushResult:
        """Return the result of the plan for the user."""
        page = f"{endpoint}/{self.target.repo_id}" + (f"/tree/{quote(self.tag or commit, safe='')}" if commit else "")
        return PushResult(
            repo=self.target.repo_id,
            files=tuple(
                FilePlan(name=name, bytes=len(data), changed=name in self.changed_files)
                for name, data in self.files.items()
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
        UnknownNameError: A name is not valid on a Hub.
        HubError: The repository is given with a revision.
    """
    target = HubReference.parse(f"{HUB_PREFIX}{repo.removeprefix(HUB_PREFIX)}")
    if target.revision != MAIN_BRANCH:
        raise HubError(f"cannot publish to {target}; give the branch separately: push({target.repo_id!r}, branch=...)")
    return replace(target, revision=branch or MAIN_BRANCH)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of a saved model's files, checked.

    Raises:
        WeightsError: The folder is not a whole saved model.
        HubError: It has no licence, or changed while it was read.
    """
    model = read_model_files(folder)
    if not model.manifest.license:
        raise HubError(f"{folder} has no licence, so nobody may use it; save it again with license=, such as 'mit'")
    texts = {
        name: read_bytes(folder / name, limit=limit)
        for name, limit in MAX_FILE_BYTES.items()
        if (folder / name).is_file()
    }
    files = {**texts, WEIGHTS: model.weights}
    hashes = hash_files({name: data for name, data in files.items() if name in model.manifest.files})
    if hashes != dict(model.manifest.files) or parse_manifest(files) != model.manifest:
        raise HubError(f"{folder} changed while it was read; try again")
    return {name: files[name] for name in FILES if name in files}


def parse_manifest(files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest among a saved model's files."""
    return Manifest.from_json(files[CONFIG], name=CONFIG)


def compare_with_repository(plan: PushPlan, client: HubClient, merge_cards: MergeCards) -> PushPlan:
    """Complete a plan with the state of the repository, the merged card and the files that would change.

    Raises:
        HubConflictError: The tag is taken.
        HubError: The Hub does not answer, or its state does not allow the push.
    """
    plan = replace(plan, repo=get_repo_info(client, plan.target))
    if plan.repo.exists and plan.private and not plan.repo.private:
        raise HubError(f"{plan.target.repo_id} exists and is public; make it private first, or leave out private=")
    if plan.pull_request and not plan.head:
        raise HubNotFoundError(f"there is no {plan.target.repo_id} to open a pull request in; leave out pull_request=")
    if plan.head:
        remote = list_files(client, plan.target, plan.head, FILES)
        files = _merge_card(client, plan, remote, merge_cards)
        plan = replace(plan, files=files, changed_files=find_changed_files(files, remote))
    _check_names_free(plan)
    return plan


def find_changed_files(files: Mapping[str, bytes], remote: Mapping[str, RemoteFile]) -> dict[str, bytes]:
    """Return those of the files that the repository lacks, or has with other bytes."""
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
    existing_card = read_file(client, plan.target, CARD, commit=plan.head, remote=remote[CARD])
    try:
        files[CARD] = merge_cards(files[CARD].decode(), existing_card.decode()).encode()
    except UnicodeDecodeError:
        raise HubUntrustedError(f"{CARD} of {plan.target} is not UTF-8 text; repair or remove it there") from None
    return files


def _check_names_free(plan: PushPlan) -> None:
    """Refuse a tag that names another commit, and names that are both a tag and a branch."""
    repo, tag, branch = plan.target.repo_id, plan.tag, plan.target.revision
    tag_commit = plan.repo.tags.get(tag)
    if tag_commit and (plan.changed_files or tag_commit != plan.head):
        raise HubConflictError(f"{repo} has a tag {tag} already, commit {tag_commit}; choose another")
    if tag and tag in {*plan.repo.branches, branch}:
        raise HubConflictError(f"{tag} is a branch of {repo}; choose another name for the tag")
    if branch in plan.repo.tags:
        raise HubConflictError(f"{branch} is a tag of {repo}, which cannot move; choose another name for the branch")
