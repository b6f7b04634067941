"""Open a run in a folder, new or resumed, for one process at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import warn

from zoo.data import ExternalLoader, Loader
from zoo.errors import BusyError, ConfigError, WeightsError, ZooError
from zoo.files.atomic import acquire_lock
from zoo.files.paths import resolve_path
from zoo.recipe import Recipe
from zoo.saving.folder import CHECKPOINTS
from zoo.training.checkpoint.checkpointer import Checkpointer
from zoo.training.checkpoint.fingerprint import TrainableModel, check_fingerprint, make_fingerprint, restore_start
from zoo.training.checkpoint.format import Checkpoint
from zoo.training.checkpoint.interval import Interval
from zoo.training.checkpoint.run_file import RunRecord, is_main_process, read_record
from zoo.training.checkpoint.signals import Interrupted, StopRequests, Terminated, defer_signals
from zoo.training.checkpoint.store import CheckpointStore


@dataclass(kw_only=True)
class Run:
    """An open run: a folder that keeps one training.

    Args:
        folder: The folder.
        store: The checkpoints of the run.
        interval: How often to write one.
        requests: Signals that request a stop.
        resume_from: The checkpoint to resume from, or None.
        checkpointer: Writes the checkpoints; None until `make_checkpointer`.
    """

    folder: Path
    store: CheckpointStore
    interval: Interval
    requests: StopRequests
    resume_from: Checkpoint | None
    checkpointer: Checkpointer | None = None

    def rewind(self, model: TrainableModel) -> None:
        """Reset a model to the start of the run, except its weights, which are restored when training begins."""
        if self.resume_from is not None:
            restore_start(model, self.resume_from.metadata["start"])

    def make_checkpointer(
        self,
        model: TrainableModel,
        start: Mapping[str, Any],
        recipe: Recipe,
        train: Loader | ExternalLoader,
        validation: Loader | ExternalLoader | None,
        environment: Mapping[str, Any],
    ) -> Checkpointer:
        """Return the checkpointer of a training.

        Args:
            model: The model to train.
            start: What `capture_start` returned before the training.
            recipe: How to train.
            train: The loader of training batches.
            validation: The loader of the images that are scored after each epoch, or None.
            environment: `processes`, `device` and `threads`.

        Raises:
            ConfigError: The checkpoint to resume from is of another training.
        """
        fingerprint = make_fingerprint(model, recipe, train, validation, environment)
        self._check_same_training(fingerprint)
        previous = _read_previous_record(self.folder)
        self.checkpointer = Checkpointer(
            self.folder,
            store=self.store,
            interval=self.interval,
            requests=self.requests,
            metadata={"model": model.spec.name, "start": dict(start), "fingerprint": fingerprint},
            record=RunRecord(
                model=model.spec.name,
                epochs=len(start["history"]) + recipe.epochs,
                begun=previous.begun if previous and self.resume_from else 0.0,
                command=previous.command if previous else None,
                monitor=previous.monitor if previous else "",
            ),
            resume_from=self.resume_from,
        )
        return self.checkpointer

    def _check_same_training(self, fingerprint: Mapping[str, Any]) -> None:
        """Raise if the checkpoint is of another training; warn if only the environment differs."""
        if self.resume_from is None:
            return
        differences = check_fingerprint(self.resume_from.metadata["fingerprint"], fingerprint)
        if differences:
            consequence = (
                "weights, optimizer, schedule and history are kept, the numbers will differ in their last bits"
            )
            warn(f"resuming where {', '.join(differences)}: {consequence}", UserWarning, stacklevel=5)


@contextmanager
def open_run(
    folder: str | Path | None, *, checkpoint_every: str, keep_checkpoints: int, resume: bool | str
) -> Iterator[Run | None]:
    """Yield the run in a folder, or None without a folder; `run.json` then says how the run ended.

    Args:
        folder: Folder of the run.
        checkpoint_every: How often a checkpoint is written; see `zoo.training.checkpoint.interval`.
        keep_checkpoints: How many of the newest checkpoints are kept.
        resume: True resumes the run in the folder; `auto` resumes it or begins one.

    Raises:
        ConfigError: An argument is not valid, or there is a run and `resume` is False.
        WeightsError: There is no checkpoint to resume from, or all are damaged.
        BusyError: Another process trains in the folder.
    """
    interval = _check_options(folder, checkpoint_every, keep_checkpoints, resume)
    if folder is None:
        yield None
        return
    run_folder = resolve_path(Path(folder))
    with ExitStack() as stack:
        store = CheckpointStore(run_folder, keep_checkpoints=keep_checkpoints)
        if resume is True and not store.folder.is_dir():
            store.read_newest()  # raises that there is no checkpoint, before any folder is created
        if is_main_process():
            _lock_run(stack, run_folder)
            store.repair()
        resume_from = _read_checkpoint(store, run_folder, resume)
        requests = stack.enter_context(defer_signals())
        run = Run(folder=run_folder, store=store, interval=interval, requests=requests, resume_from=resume_from)
        with _record_outcome(run):
            yield run


def _check_options(
    folder: str | Path | None, checkpoint_every: str, keep_checkpoints: int, resume: bool | str
) -> Interval:
    """Return the interval between checkpoints, or raise for an invalid argument of `open_run`."""
    if resume not in (True, False, "auto"):
        raise ConfigError(f"resume is True, False or 'auto', not {resume!r}")
    if not isinstance(keep_checkpoints, int) or isinstance(keep_checkpoints, bool) or keep_checkpoints < 1:
        raise ConfigError(
            f"keep_checkpoints is the number of checkpoints to keep, at least 1, not {keep_checkpoints!r}"
        )
    interval = Interval.parse(checkpoint_every)
    if folder is None and (resume is not False or checkpoint_every != "epoch"):
        argument = "checkpoint_every" if resume is False else "resume"
        raise ConfigError(f"{argument} needs checkpoint=, the folder of the run")
    if folder is not None and (not isinstance(folder, str | Path) or not str(folder)):
        raise ConfigError(f"checkpoint is a folder, not {folder!r}")
    return interval


def _lock_run(stack: ExitStack, folder: Path) -> None:
    try:
        (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
        stack.enter_context(acquire_lock(folder / CHECKPOINTS))
    except BusyError:
        raise BusyError(f"another process trains in {folder}; wait for it, or choose another folder") from None
    except OSError as error:
        raise WeightsError(f"cannot write checkpoints to {folder}: {error.strerror or error}") from error


def _read_checkpoint(store: CheckpointStore, folder: Path, resume: bool | str) -> Checkpoint | None:
    """Return the checkpoint to resume from, or None for a new run."""
    names = store.list_names()
    if resume is False and names:
        raise ConfigError(
            f"{folder} holds a run with {len(names)} checkpoints; resume=True resumes it, or choose another folder"
        )
    if resume is False or (resume == "auto" and not names):
        return None
    return store.read_newest(rename_damaged=is_main_process())


def _read_previous_record(folder: Path) -> RunRecord | None:
    try:
        return read_record(folder)
    except WeightsError:  # run.json only informs people; the checkpoints hold what matters
        return None


@contextmanager
def _record_outcome(run: Run) -> Iterator[None]:
    """Write to `run.json` why the run failed; the checkpointer writes all other outcomes."""
    try:
        yield
    except (Interrupted, Terminated):
        raise
    except (KeyboardInterrupt, SystemExit):
        _mark_failed(run, "stopped at once by a second signal", "interrupted")
        raise
    except ZooError as error:
        _mark_failed(run, str(error), "failed")
        raise
    except Exception as error:
        _mark_failed(run, f"{type(error).__name__}: {error}", "failed")
        raise


def _mark_failed(run: Run, problem: str, run_state: str) -> None:
    if run.checkpointer is not None and is_main_process():
        run.checkpointer.mark_failed(problem, run_state=run_state)
