"""Publish a saved model: try it in a fresh process first, then hand its folder to the Hub."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypedDict, Unpack

from zoo.errors import HubError, WeightsError
from zoo.hub import PushResult, push
from zoo.saving import artifact as weights
from zoo.saving.card_merge import merge_cards

LOAD_TIMEOUT = 600
"""How long a fresh process may take to load and try a model, in seconds."""


class PushOptions(TypedDict, total=False):
    """How to publish.

    Args:
        private: Make a new repository private.
        branch: Branch to commit to; made if it is not there. `main` when left out.
        tag: Tag to give the commit; it must be free.
        pull_request: Open a pull request instead of committing to the branch.
        message: The commit's message.
        dry_run: Do everything but write: return the plan.
    """

    private: bool
    branch: str | None
    tag: str | None
    pull_request: bool
    message: str | None
    dry_run: bool


def publish(artifact: weights.Artifact, repo: str, **options: Unpack[PushOptions]) -> PushResult:
    """Write an artifact to a folder, check that a fresh process loads it and gets the same outputs, and publish it.

    Raises:
        HubError: It has no licence, or the Hub did not take it.
        WeightsError: The fresh process cannot load it, or gets other outputs.
    """
    if not artifact.manifest.license:
        raise HubError(f"{repo} needs a licence to be published under: license='mit', or another identifier")
    with tempfile.TemporaryDirectory(prefix="zoo-push-") as place:
        folder = weights.write_artifact(Path(place) / repo.rpartition("/")[2], artifact)
        check_in_fresh_process(folder)
        return push(folder, repo, merge_cards=merge_cards, **options)


def check_in_fresh_process(folder: Path) -> None:
    """Load a saved model in a fresh process and compare its outputs with those stored.

    Raises:
        WeightsError: It cannot be loaded there, or gives other outputs.
    """
    words = [sys.executable, "-m", "zoo", "verify", str(folder), "--no-data", "--json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LOAD_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise WeightsError(f"a fresh process did not load the model within {LOAD_TIMEOUT} s") from None
    if done.returncode != 0:
        raise WeightsError(f"a fresh process cannot use the model, so nothing was published: {_reason(done)}")


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    try:
        return str(json.loads(done.stdout)[0]["problem"])
    except (ValueError, LookupError, TypeError):
        return done.stderr.strip()[-1000:] or f"it ended with code {done.returncode}"
