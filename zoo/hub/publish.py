"""Publish a model: write its folder, load it in a fresh process, and push the folder to the Hub."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypedDict, Unpack

from zoo.errors import HubError, WeightsError
from zoo.hub import PushResult, push
from zoo.saving.artifact import Artifact, write_artifact
from zoo.saving.card_merge import merge_cards

LOAD_TIMEOUT = 600
"""Seconds that a fresh process may take to load and check a model."""


class PushOptions(TypedDict, total=False):
    """Options of a push.

    Args:
        private: Make a new repository private.
        branch: Branch to commit to, `main` by default; created if it does not exist.
        tag: Tag to give the commit; it must be free.
        pull_request: Open a pull request instead of committing to the branch.
        message: The commit's message.
        dry_run: Change nothing, only return what would change.
    """

    private: bool
    branch: str | None
    tag: str | None
    pull_request: bool
    message: str | None
    dry_run: bool


def publish(artifact: Artifact, repo: str, **options: Unpack[PushOptions]) -> PushResult:
    """Write an artifact to a folder, check that a fresh process gets the same outputs from it, and push it.

    Raises:
        HubError: The artifact has no licence, or the Hub did not accept it.
        WeightsError: The fresh process cannot load it, or gets other outputs.
    """
    if not artifact.manifest.license:
        raise HubError(f"{repo} needs a licence to be published under: license='mit', or another identifier")
    with tempfile.TemporaryDirectory(prefix="zoo-push-") as root:
        folder = write_artifact(Path(root) / repo.rpartition("/")[2], artifact)
        check_in_fresh_process(folder)
        return push(folder, repo, merge_cards=merge_cards, **options)


def check_in_fresh_process(folder: Path) -> None:
    """Load a saved model in a fresh process and compare its outputs with those stored.

    Raises:
        WeightsError: The process cannot load it, or gets other outputs.
    """
    command = [sys.executable, "-m", "zoo", "verify", str(folder), "--no-data", "--json"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise WeightsError(
            f"a fresh process did not load the model within {LOAD_TIMEOUT} s, so nothing was published"
        ) from None
    if process.returncode != 0:
        raise WeightsError(
            f"a fresh process cannot use the model, so nothing was published: {_describe_failure(process)}"
        )


def _describe_failure(process: subprocess.CompletedProcess[str]) -> str:
    try:
        return str(json.loads(process.stdout)[0]["problem"])
    except (ValueError, LookupError, TypeError):
        return process.stderr.strip()[-1000:] or f"it ended with code {process.returncode}"
