"""Write checkpoints when they are due, and stop training when a signal has come; the training loop calls this."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, WeightsError
from zoo.files.atomic import replace_file
from zoo.saving.folder import HISTORY, RUN
from zoo.saving.history import is_lower_better
from zoo.training.checkpoint.format import Checkpoint
from zoo.training.checkpoint.interval import Interval
from zoo.training.checkpoint.run_file import RunRecord, write_record
from zoo.training.checkpoint.signals import StopRequests, make_exit
from zoo.training.checkpoint.store import CheckpointStore, format_name
from zoo.training.checkpoint.train_state import TrainState, capture, restore
from zoo.training.distributed import SYNC_EVERY


class Checkpointer:
    """Write the checkpoints of one training, and its `run.json` and history.

    Args:
        folder: Folder of the run.
        store: The checkpoints of the run.
        interval: How often to write one.
        requests: Signals that request a stop.
        metadata: Plain JSON that each checkpoint holds: the model at the start of the run, and the run's fingerprint.
        record: The content of `run.json`.
        resume_from: The checkpoint to resume from, or None.

    Attributes:
        record: The content of `run.json`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        store: CheckpointStore,
        interval: Interval,
        requests: StopRequests,
        metadata: Mapping[str, Any],
        record: RunRecord,
        resume_from: Checkpoint | None,
    ) -> None:
        self._folder, self._store, self._interval, self._requests = folder, store, interval, requests
        self._metadata, self.record, self._resume_from = dict(metadata), record, resume_from
        self._last_position = (0, 0, time.monotonic())

    def begin(self, state: TrainState) -> None:
        """Restore the checkpoint, or write a first one, so that a state that cannot be stored fails before training.

        Raises:
            ConfigError: Checkpoints are due after steps, but another library's loader cannot resume inside an epoch.
        """
        if not state.global_batch_size and self._interval.unit == "step":
            raise ConfigError(
                f"checkpoint_every='{self._interval}' needs zoo's own Loader; another loader resumes only at an epoch"
            )
        if self._resume_from is not None:
            restore(state, self._resume_from.state)
            best = self._resume_from.metadata["best"]
            self.record = self.record.replace(best=best["name"], value=best["value"], newest=self._resume_from.name)
            self._remember_position(state)
        else:
            self._write_first(state)
        self._update_record(state)
        self._stop_if_requested(state)

    def on_step(self, state: TrainState) -> None:
        """Write a checkpoint if it is due; stop if a signal has come.

        Raises:
            Interrupted, Terminated: A signal has come.
        """
        if state.training.stop or (state.group.world_size > 1 and state.training.step % SYNC_EVERY):
            return
        flags = (bool(self._requests.signal_number), self._is_due(state))
        is_stop_requested, is_due = state.group.any_process(*flags)
        is_saveable = state.global_batch_size > 0 and (
            state.group.world_size == 1 or not any(each.gradients.num_pending for each in state.optimizers.values())
        )
        if is_saveable and (is_stop_requested or is_due):
            self._try_write(state)
            self._update_record(state)
        if is_stop_requested and (is_saveable or not state.global_batch_size):
            self._stop(state)

    def on_epoch(self, state: TrainState) -> None:
        """Write a checkpoint if it is due, if the epoch is the best so far, or if training ends.

        Raises:
            Interrupted, Terminated: A signal has come.
        """
        record_before, is_best = self.record, self._update_best(state)
        is_last = bool(state.training.stop) or state.epoch >= state.training.recipe.epochs
        flags = (bool(self._requests.signal_number), self._is_due(state), is_best)
        is_stop_requested, is_due, is_best = state.group.any_process(*flags)
        if state.group.rank == 0:
            self._write_history(state)
        if is_stop_requested or is_due or is_best or is_last:
            self._try_write(state, record_before)
        if is_last:
            self._update_record(state, "done", state.training.stop)
        elif is_stop_requested:
            self._stop(state)
        else:
            self._update_record(state)

    def newest_path(self) -> str:
        """Return the path of the newest checkpoint, or an empty string."""
        return str(self._store.folder / self.record.newest) if self.record.newest else ""

    def mark_failed(self, problem: str, *, run_state: str = "failed") -> None:
        """Write to `run.json` why training ended."""
        self.record = self.record.replace(state=run_state, problem=problem[:2000])
        self._write_record(self.record)

    def _is_due(self, state: TrainState) -> bool:
        epoch, steps, last_time = self._last_position
        seconds = time.monotonic() - last_time
        return self._interval.is_due(epochs=state.epoch - epoch, steps=state.total_steps - steps, seconds=seconds)

    def _remember_position(self, state: TrainState) -> None:
        self._last_position = (state.epoch, state.total_steps, time.monotonic())

    def _update_best(self, state: TrainState) -> bool:
        """Return whether the epoch is the best so far, and record it.

        If the history has no monitored column, epochs are compared by the training loss.
        """
        monitor, row = state.training.recipe.monitor, state.training.row
        column = monitor if monitor in row else "loss"
        value, best_value = row.get(column), self.record.value
        if value is None:
            return False
        is_better = best_value is None or (value < best_value if is_lower_better(column) else value > best_value)
        if is_better:
            self.record = self.record.replace(best=self._checkpoint_name(state), monitor=column, value=value)
        return is_better

    def _checkpoint_name(self, state: TrainState) -> str:
        return format_name(state.earlier + state.epoch, state.training.step)

    def _try_write(self, state: TrainState, record_before: RunRecord | None = None) -> None:
        """Write a checkpoint; if the disk is full or gone, warn and go on, with the best epoch of `record_before`."""
        try:
            self._write(state)
        except OSError as error:
            self.record = record_before or self.record
            problem = f"the checkpoint {self._checkpoint_name(state)} was not written: {error.strerror or error}"
            newest = f"the newest is {self.newest_path()}" if self.newest_path() else "there is none"
            warnings.warn(f"{problem}; training goes on, {newest}", UserWarning, stacklevel=4)
            self._remember_position(state)

    def _write_first(self, state: TrainState) -> None:
        try:
            self._write(state)
        except OSError as error:
            raise WeightsError(f"cannot write checkpoints to {self._folder}: {error.strerror or error}") from error

    def _write(self, state: TrainState) -> None:
        state.check_finite()
        captured, name = capture(state), self._checkpoint_name(state)
        if state.group.rank == 0:
            best = {"name": self.record.best, "value": self.record.value}
            self._store.write(name, {**self._metadata, "best": best}, captured, best=self.record.best)
        self.record = self.record.replace(newest=name)
        self._remember_position(state)

    def _write_history(self, state: TrainState) -> None:
        try:
            replace_file(self._folder / HISTORY, state.history.to_jsonl().encode(), durable=False)
        except (OSError, ValueError) as error:
            warnings.warn(f"the history was not written: {error}; training goes on", UserWarning, stacklevel=4)

    def _update_record(self, state: TrainState, run_state: str = "running", problem: str = "") -> None:
        epoch, step = state.earlier + state.epoch, state.training.step
        self.record = self.record.replace(state=run_state, problem=problem, epoch=epoch, step=step)
        if state.group.rank == 0:
            self._write_record(self.record)

    def _write_record(self, record: RunRecord) -> None:
        try:
            write_record(self._folder, record)
        except OSError as error:
            warnings.warn(f"{self._folder / RUN} was not written: {error.strerror}", UserWarning, stacklevel=4)

    def _stop_if_requested(self, state: TrainState) -> None:
        if state.group.any_process(bool(self._requests.signal_number))[0]:
            self._stop(state)

    def _stop(self, state: TrainState) -> None:
        """Record where training stopped, and raise the exception that ends it."""
        signal_number = state.group.reduce_max(self._requests.signal_number)
        epoch, step = state.earlier + state.epoch, state.training.step if state.global_batch_size else 0
        position = f"after step {step} of epoch {epoch + 1}" if step else f"after epoch {epoch}"
        is_saved = not state.global_batch_size or self.record.newest == self._checkpoint_name(state)
        note = "holds it" if is_saved else "is the newest checkpoint, since that step could not be written"
        message = f"training was stopped {position}; {self.newest_path()} {note}. {self._resume_advice()}"
        self._update_record(state, "interrupted", message)
        exception = make_exit(signal_number, message)
        if isinstance(exception, SystemExit) and state.group.rank == 0:
            print(message, file=sys.stderr)
        raise exception

    def _resume_advice(self) -> str:
        if self.record.command is not None:
            return f"Resume with: zoo fit --resume {self._folder}"
        return f"Resume with fit(..., checkpoint={str(self._folder)!r}, resume=True)"
