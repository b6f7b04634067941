"""Keep the checkpoints of one run in a folder: the newest few and the best; set damaged ones aside."""

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
from zoo.training.checkpoint.format import Checkpoint, read_checkpoint, write_checkpoint

NAME_PATTERN = re.compile(r"\d{5,}-\d{8,}")
ORPHAN_PATTERN = re.compile(r"\.(\d{5,}-\d{8,})\.(?:[0-9a-f]{8}\.(?:partial|old)|lock)")


def format_name(epoch: int, step: int) -> str:
    """Return the name of the checkpoint after `epoch` finished epochs and `step` batches of the current one."""
    return f"{epoch:05d}-{step:08d}"


class CheckpointStore:
    """The folder with a run's checkpoints.

    Args:
        run_folder: Folder of the run.
        keep_checkpoints: How many of the newest checkpoints to keep.
    """

    def __init__(self, run_folder: Path, *, keep_checkpoints: int = 2) -> None:
        self.folder = run_folder / CHECKPOINTS
        self._keep_checkpoints = keep_checkpoints

    def list_names(self) -> list[str]:
        """Return the names of all checkpoints, oldest first."""
        if not self.folder.is_dir():
            return []
        names = [path.name for path in self.folder.iterdir() if path.is_dir() and NAME_PATTERN.fullmatch(path.name)]
        return sorted(names, key=lambda name: tuple(map(int, name.split("-"))))

    def repair(self) -> None:
        """Finish or undo what a killed writer left; only the process that has the run's lock may call this."""
        if self.folder.is_dir():
            matches = (ORPHAN_PATTERN.fullmatch(path.name) for path in self.folder.iterdir())
            for name in {match[1] for match in matches if match}:
                with acquire_lock(self.folder / name):
                    pass

    def write(self, name: str, metadata: Mapping[str, Any], state: Mapping[str, Any], *, best: str) -> None:
        """Write a checkpoint, then remove all that are neither among the newest nor the best.

        Args:
            name: Name of the new checkpoint.
            metadata: Plain JSON; see `Checkpoint`.
            state: Everything that training changes.
            best: Name of the best checkpoint, or empty.

        Raises:
            OSError: The checkpoint cannot be written; the existing ones are unchanged.
            WeightsError: The state holds a value that cannot be stored.
        """
        write_checkpoint(self.folder / name, metadata, state)
        names = self.list_names()
        to_keep = {name, best, *names[: names.index(name) + 1][-self._keep_checkpoints :]}
        for each in names:
            if each not in to_keep:
                shutil.rmtree(self.folder / each, ignore_errors=True)

    def clear(self) -> None:
        """Remove all checkpoints, once the trained model is saved."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def read_newest(self, *, rename_damaged: bool = True) -> Checkpoint:
        """Return the newest undamaged checkpoint, with a warning about the newer ones that are damaged.

        Args:
            rename_damaged: Rename the damaged ones, so that they are not read again.

        Raises:
            WeightsError: There is no checkpoint, or all are damaged.
        """
        names, problems = self.list_names(), []
        for name in reversed(names):
            try:
                checkpoint = read_checkpoint(self.folder / name)
            except WeightsError as error:
                problems.append((name, str(error)))
                continue
            self._report_damaged(problems, name, rename_damaged)
            return checkpoint
        if not names:
            raise WeightsError(f"{self.folder.parent} holds no checkpoint to resume from; begin without resume")
        text = "; ".join(problem for _, problem in problems)
        raise WeightsError(
            f"all {len(names)} checkpoints in {self.folder} are damaged, and zoo does not start over by itself: "
            f"{text}. Start over without resume in another folder"
        )

    def _report_damaged(self, problems: list[tuple[str, str]], fallback: str, rename_damaged: bool) -> None:
        if not problems:
            return
        text = join_names((problem for _, problem in problems), 3)
        warnings.warn(f"{text}; resuming from the checkpoint {fallback} before it", UserWarning, stacklevel=5)
        for name, _ in problems if rename_damaged else ():
            damaged_folder = self.folder / f"{name}.damaged"
            shutil.rmtree(damaged_folder, ignore_errors=True)
            (self.folder / name).rename(damaged_folder)
