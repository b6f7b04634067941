"""Begin a run in a folder, or go on with the one that is there; one process at a time."""

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
from zoo.training.checkpoint import fingerprint
from zoo.training.checkpoint import run_file as record
from zoo.training.checkpoint.checkpointer import Checkpointer
from zoo.training.checkpoint.fingerprint import TrainableModel, restore_start
from zoo.training.checkpoint.format import Checkpoint
from zoo.training.checkpoint.interval import Interval
from zoo.training.checkpoint.run_file import RunRecord, is_main_process
from zoo.training.checkpoint.signals import Interrupted, StopRequests, Terminated, defer_signals
from zoo.training.checkpoint.store import CheckpointStore


@dataclass(kw_only=True)
class Run:
    """A folder that a training is kept in.

    Args:
        folder: The folder.
        store: Its checkpoints.
        interval: How often one is written.
        requests: Signals that ask to stop.
        resume_from: The checkpoint to go on from, or None.
        checkpointer: What keeps the training, once it is known what is trained.
    """

    folder: Path
    store: CheckpointStore
    interval: Interval
    requests: StopRequests
    resume_from: Checkpoint | None
    checkpointer: Checkpointer | None = None

    def rewind(self, model: TrainableModel) -> None:
        """Bring a model to what it was when the run began; its weights come back when training does."""
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
        """Return what keeps a training.

        Args:
            model: What is trained.
            start: What `start_of` returned before the training.
            recipe: How.
            train: What it is trained on.
            validation: What is scored after each epoch, or None.
            environment: Where: `processes`, `device` and `threads`.

        Raises:
            ConfigError: It is another training than the one in the checkpoint.
        """
        depends = fingerprint.make_fingerprint(model, recipe, train, validation, environment)
        if self.resume_from is not None:
            loose = fingerprint.check_fingerprint(self.resume_from.metadata["fingerprint"], depends)
            if loose:
                kept = "weights, optimizer, schedule and history are kept, the numbers will differ in their last bits"
                warn(f"going on where {', '.join(loose)}: {kept}", UserWarning, stacklevel=4)
        told_before = _read_record(self.folder)
        self.checkpointer = Checkpointer(
            self.folder,
            store=self.store,
            interval=self.interval,
            requests=self.requests,
            metadata={"model": model.spec.name, "start": dict(start), "fingerprint": depends},
            told=RunRecord(
                model=model.spec.name,
                epochs=len(start["history"]) + recipe.epochs,
                begun=told_before.begun if told_before and self.resume_from else 0.0,
                command=told_before.command if told_before else None,
                monitor=told_before.monitor if told_before else "",
            ),
            resume_from=self.resume_from,
        )
        return self.checkpointer


@contextmanager
def open_run(
    folder: str | Path | None, *, checkpoint_every: str, keep_checkpoints: int, resume: bool | str
) -> Iterator[Run | None]:
    """Yield the run in a folder, or None where none is wanted; `run.json` says how it ended.

    Args:
        folder: Folder of the run.
        checkpoint_every: How often a checkpoint is written; see `zoo.training.checkpoint.interval`.
        keep_checkpoints: How many of the newest are kept.
        resume: True goes on with the run that is there, `auto` also begins one.

    Raises:
        ConfigError: An argument is not what it may be; there is a run and `resume` is False.
        WeightsError: There is nothing to go on from, or all of it is damaged.
        BusyError: Another process trains there.
    """
    if resume not in (True, False, "auto"):
        raise ConfigError(f"resume is True, False or 'auto', not {resume!r}")
    if not isinstance(keep_checkpoints, int) or isinstance(keep_checkpoints, bool) or keep_checkpoints < 1:
        raise ConfigError(
            f"keep_checkpoints is the number of checkpoints to keep, at least 1, not {keep_checkpoints!r}"
        )
    interval = Interval.parse(checkpoint_every)
    if folder is None:
        if resume is not False or checkpoint_every != "epoch":
            argument = "checkpoint_every" if resume is False else "resume"
            raise ConfigError(f"{argument} needs checkpoint=, the folder of the run")
        yield None
        return
    if not isinstance(folder, str | Path) or not str(folder):
        raise ConfigError(f"checkpoint is a folder, not {folder!r}")
    place = resolve_path(Path(folder))
    with ExitStack() as stack:
        store = CheckpointStore(place, keep_checkpoints=keep_checkpoints)
        if resume is True and not store.folder.is_dir():
            store.read_newest()  # says that there is nothing, and nothing is made
        if is_main_process():
            _lock_run(stack, place)
            store.repair()
        back = _find_checkpoint(store, place, resume)
        run = Run(
            folder=place,
            store=store,
            interval=interval,
            requests=stack.enter_context(defer_signals()),
            resume_from=back,
        )
        with _record_outcome(run):
            yield run


def _lock_run(stack: ExitStack, folder: Path) -> None:
    try:
        (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
        stack.enter_context(acquire_lock(folder / CHECKPOINTS))
    except BusyError:
        raise BusyError(f"another process trains in {folder}; wait for it, or choose another folder") from None
    except OSError as error:
        raise WeightsError(f"cannot keep checkpoints in {folder}: {error.strerror or error}") from error


def _find_checkpoint(store: CheckpointStore, folder: Path, resume: bool | str) -> Checkpoint | None:
    names = store.list_names()
    if resume is False and names:
        raise ConfigError(
            f"{folder} holds a run with {len(names)} checkpoints; resume=True goes on with it, or choose another folder"
        )
    if resume is False or (resume == "auto" and not names):
        return None
    return store.read_newest(rename_damaged=is_main_process())


def _read_record(folder: Path) -> RunRecord | None:
    try:
        return record.read_record(folder)
    except WeightsError:  # it only tells people; the checkpoints hold what matters
        return None


@contextmanager
def _record_outcome(run: Run) -> Iterator[None]:
    """Say in `run.json` why the run ended, unless it says so already."""
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
