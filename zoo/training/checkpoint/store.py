"""The checkpoints of one run in their folder: the newest few and the best are kept, the damaged set aside."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import WeightsError, join_names
from zoo.files.atomic import acquire_lock
from zoo.saving.folder import CHECKPOINTS
from zoo.training.checkpoint import format as checkpoint
from zoo.training.checkpoint.format import Checkpoint

NAME_PATTERN = re.compile(r"\d{5,}-\d{8,}")
ORPHAN_PATTERN = re.compile(r"\.(\d{5,}-\d{8,})\.(?:[0-9a-f]{8}\.(?:partial|old)|lock)")


def format_name(epoch: int, step: int) -> str:
    """Return the name of the checkpoint after so many epochs and, in the running one, steps."""
    return f"{epoch:05d}-{step:08d}"


class CheckpointStore:
    """The folder of a run's checkpoints.

    Args:
        run_folder: Folder of the run.
        keep_checkpoints: How many of the newest checkpoints are kept.
    """

    def __init__(self, run_folder: Path, *, keep_checkpoints: int = 2) -> None:
        self.folder = run_folder / CHECKPOINTS
        self._keep_checkpoints = keep_checkpoints

    def list_names(self) -> list[str]:
        """Return the checkpoints there are, oldest first."""
        if not self.folder.is_dir():
            return []
        found = [path.name for path in self.folder.iterdir() if path.is_dir() and NAME_PATTERN.fullmatch(path.name)]
        return sorted(found, key=lambda name: tuple(map(int, name.split("-"))))

    def repair(self) -> None:
        """Put right what a killed writer left; only who holds the run may."""
        if self.folder.is_dir():
            for name in {found[1] for path in self.folder.iterdir() if (found := ORPHAN_PATTERN.fullmatch(path.name))}:
                with acquire_lock(self.folder / name):
                    pass

    def write(self, name: str, metadata: Mapping[str, Any], state: Mapping[str, Any], *, best: str) -> None:
        """Write a checkpoint, then remove what is neither among the newest nor the best.

        Raises:
            OSError: It cannot be written; those there are as they were.
            WeightsError: The state holds what cannot be kept.
        """
        checkpoint.write_checkpoint(self.folder / name, metadata, state)
        names = self.list_names()
        kept = {name, best, *names[: names.index(name) + 1][-self._keep_checkpoints :]}
        for each in names:
            if each not in kept:
                shutil.rmtree(self.folder / each, ignore_errors=True)

    def clear(self) -> None:
        """Remove all checkpoints: what they led to is saved."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def read_newest(self, *, rename_damaged: bool = True) -> Checkpoint:
        """Return the newest checkpoint that is whole, with a warning for each newer one that is not.

        Args:
            rename_damaged: Rename the damaged ones, so that they are not looked at again.

        Raises:
            WeightsError: There is none, or none is whole.
        """
        names, problems = self.list_names(), []
        for name in reversed(names):
            try:
                whole = checkpoint.read_checkpoint(self.folder / name)
            except WeightsError as error:
                problems.append((name, str(error)))
                continue
            self._report_damaged(problems, name, rename_damaged)
            return whole
        if not names:
            raise WeightsError(f"{self.folder.parent} holds no checkpoint to go on from; begin it without resume")
        told = "; ".join(problem for _, problem in problems)
        raise WeightsError(
            f"none of the {len(names)} checkpoints in {self.folder} is whole, and zoo does not begin anew by itself: "
            f"{told}. Begin again without resume in another folder"
        )

    def _report_damaged(self, problems: list[tuple[str, str]], fallback: str, rename_damaged: bool) -> None:
        if not problems:
            return
        told = join_names((problem for _, problem in problems), 3)
        warnings.warn(f"{told}; going on from the checkpoint {fallback} before it", UserWarning, stacklevel=5)
        for name, _ in problems if rename_damaged else ():
            aside = self.folder / f"{name}.damaged"
            shutil.rmtree(aside, ignore_errors=True)
            (self.folder / name).rename(aside)
