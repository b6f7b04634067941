"""What is to be published, and what was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from zoo.hub.repository import RepoInfo
from zoo.saving.reference import MAIN_BRANCH, HubReference


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
