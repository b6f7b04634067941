"""What the training loop calls at each step: writes checkpoints when they are due, and stops when asked to."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, WeightsError
from zoo.files.atomic import replace_file
from zoo.history import is_lower_better
from zoo.saving.folder import HISTORY
from zoo.training.checkpoint import run_file as record
from zoo.training.checkpoint.format import Checkpoint
from zoo.training.checkpoint.interval import Interval
from zoo.training.checkpoint.run_file import Record
from zoo.training.checkpoint.signals import Requests, ending
from zoo.training.checkpoint.store import Store, name_of
from zoo.training.checkpoint.train_state import TrainState, put_back, taken
from zoo.training.group import AGREE


class Keeper:
    """Keeps one training.

    Args:
        folder: Folder of the run.
        store: Its checkpoints.
        every: How often to write one.
        requests: Signals that ask to stop.
        about: Plain JSON that each checkpoint holds: what the run was begun with and depends on.
        told: What `run.json` says.
        back: The checkpoint to go on from, or None.
    """

    def __init__(
        self,
        folder: Path,
        *,
        store: Store,
        every: Interval,
        requests: Requests,
        about: Mapping[str, Any],
        told: Record,
        back: Checkpoint | None,
    ) -> None:
        self._folder, self._store, self._every, self._requests = folder, store, every, requests
        self._about, self.record, self._back = dict(about), told, back
        self._last = (0, 0, time.monotonic())

    def begin(self, state: TrainState) -> None:
        """Go back to the checkpoint, or write the first one: what cannot be kept is found before training.

        Raises:
            ConfigError: Checkpoints after steps are asked for, and somebody else's loader cannot go on from there.
        """
        if not state.batch and self._every.unit == "step":
            raise ConfigError(f"every='{self._every}' needs zoo's own Loader; another loader begins only at an epoch")
        if self._back is not None:
            put_back(state, self._back.state)
            best = self._back.about["best"]
            self.record = self.record.changed(best=best["name"], value=best["value"], newest=self._back.name)
            self._mark(state)
        else:
            self._write_first(state)
        self._put_record(state)
        self._stop_if_asked(state)

    def on_step(self, state: TrainState) -> None:
        """Write a checkpoint if it is due; stop if a signal has come.

        Raises:
            Interrupted, Terminated: It has.
        """
        if state.training.stop or (state.group.size > 1 and state.training.step % AGREE):
            return
        is_asked, is_due = state.group.agreed(bool(self._requests.caught), self._is_due(state))
        can = state.batch > 0 and (state.group.size == 1 or not any(s.is_gathering for s in state.steppers.values()))
        if can and (is_asked or is_due):
            self._save(state)
            self._put_record(state)
        if is_asked and (can or not state.batch):
            self._stop(state)

    def on_epoch(self, state: TrainState) -> None:
        """Write a checkpoint if it is due, if the epoch is the best so far, or if training ends.

        Raises:
            Interrupted, Terminated: A signal has come.
        """
        before, is_best = self.record, self._note_best(state)
        is_last = bool(state.training.stop) or state.epoch >= state.training.recipe.epochs
        asks = (bool(self._requests.caught), self._is_due(state), is_best)
        is_asked, is_due, is_best = state.group.agreed(*asks)
        if state.group.rank == 0:
            self._put_history(state)
        if is_asked or is_due or is_best or is_last:
            self._save(state, before)
        if is_last:
            self._put_record(state, "done", state.training.stop)
        elif is_asked:
            self._stop(state)
        else:
            self._put_record(state)

    def newest(self) -> str:
        """Return where the newest checkpoint is."""
        return str(self._store.folder / self.record.newest) if self.record.newest else ""

    def failed(self, problem: str, *, state: str = "failed") -> None:
        """Say in `run.json` why training ended."""
        self.record = self.record.changed(state=state, problem=problem[:2000])
        self._put(self.record)

    def _is_due(self, state: TrainState) -> bool:
        epoch, steps, moment = self._last
        seconds = time.monotonic() - moment
        return self._every.is_due(epochs=state.epoch - epoch, steps=state.taken - steps, seconds=seconds)

    def _mark(self, state: TrainState) -> None:
        self._last = (state.epoch, state.taken, time.monotonic())

    def _note_best(self, state: TrainState) -> bool:
        """Remember the epoch if it is the best; by the training loss where the monitored column is not there."""
        wanted, row = state.training.recipe.monitor, state.training.row
        monitor = wanted if wanted in row else "loss"
        value, before = row.get(monitor), self.record.value
        if value is None:
            return False
        is_better = before is None or (value < before if is_lower_better(monitor) else value > before)
        if is_better:
            self.record = self.record.changed(best=self._name(state), monitor=monitor, value=value)
        return is_better

    def _name(self, state: TrainState) -> str:
        return name_of(state.earlier + state.epoch, state.training.step)

    def _save(self, state: TrainState, before: Record | None = None) -> None:
        """Write a checkpoint; if the disk is full or gone, say so and go on, with the best of `before`."""
        try:
            self._write(state)
        except OSError as error:
            self.record = before or self.record
            told = f"the checkpoint {self._name(state)} was not written: {error.strerror or error}"
            kept = f"the newest is {self.newest()}" if self.newest() else "there is none"
            warnings.warn(f"{told}; training goes on, {kept}", UserWarning, stacklevel=4)
            self._mark(state)

    def _write_first(self, state: TrainState) -> None:
        try:
            self._write(state)
        except OSError as error:
            raise WeightsError(f"cannot keep checkpoints in {self._folder}: {error.strerror or error}") from error

    def _write(self, state: TrainState) -> None:
        state.check()
        everything, name = taken(state), self._name(state)
        if state.group.rank == 0:
            best = {"name": self.record.best, "value": self.record.value}
            self._store.write(name, {**self._about, "best": best}, everything, best=self.record.best)
        self.record = self.record.changed(newest=name)
        self._mark(state)

    def _put_history(self, state: TrainState) -> None:
        try:
            replace_file(self._folder / HISTORY, state.history.to_jsonl().encode(), is_lasting=False)
        except (OSError, ValueError) as error:
            warnings.warn(f"the history was not written: {error}; training goes on", UserWarning, stacklevel=4)

    def _put_record(self, state: TrainState, stage: str = "running", problem: str = "") -> None:
        epoch, step = state.earlier + state.epoch, state.training.step
        self.record = self.record.changed(state=stage, problem=problem, epoch=epoch, step=step)
        if state.group.rank == 0:
            self._put(self.record)

    def _put(self, told: Record) -> None:
        try:
            record.write(self._folder, told)
        except OSError as error:
            warnings.warn(f"{self._folder / record.RUN} was not written: {error.strerror}", UserWarning, stacklevel=4)

    def _stop_if_asked(self, state: TrainState) -> None:
        if state.group.agreed(bool(self._requests.caught))[0]:
            self._stop(state)

    def _stop(self, state: TrainState) -> None:
        number = state.group.largest(self._requests.caught)
        done, step = state.earlier + state.epoch, state.training.step if state.batch else 0
        where = f"after step {step} of epoch {done + 1}" if step else f"after epoch {done}"
        is_kept = not state.batch or self.record.newest == self._name(state)
        holds = "holds it" if is_kept else "is the newest checkpoint, since that step could not be written"
        told = f"training was stopped {where}; {self.newest()} {holds}. {self._how()}"
        self._put_record(state, "interrupted", told)
        ended = ending(number, told)
        if isinstance(ended, SystemExit) and state.group.rank == 0:
            print(told, file=sys.stderr)
        raise ended

    def _how(self) -> str:
        if self.record.command is not None:
            return f"Go on with: zoo fit --resume {self._folder}"
        return f"Go on with fit(..., checkpoint={str(self._folder)!r}, resume=True)"
