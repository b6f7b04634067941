"""Begin a run in a folder, or go on with the one that is there; one process at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import warn

from zoo.data import Loader, Stream
from zoo.errors import BusyError, ConfigError, WeightsError, ZooError
from zoo.files.atomic import locked
from zoo.files.paths import resolved
from zoo.recipe import Recipe
from zoo.training.checkpoint import fingerprint
from zoo.training.checkpoint import run_file as record
from zoo.training.checkpoint.checkpointer import Keeper
from zoo.training.checkpoint.fingerprint import Trained
from zoo.training.checkpoint.format import Checkpoint
from zoo.training.checkpoint.interval import Interval
from zoo.training.checkpoint.run_file import CHECKPOINTS, Record, is_first
from zoo.training.checkpoint.signals import Interrupted, Requests, Terminated, heard
from zoo.training.checkpoint.start import rewind
from zoo.training.checkpoint.store import Store


@dataclass(kw_only=True)
class Run:
    """A folder that a training is kept in.

    Args:
        folder: The folder.
        store: Its checkpoints.
        every: How often one is written.
        requests: Signals that ask to stop.
        back: The checkpoint to go on from, or None.
        keeper: What keeps the training, once it is known what is trained.
    """

    folder: Path
    store: Store
    every: Interval
    requests: Requests
    back: Checkpoint | None
    keeper: Keeper | None = None

    def rewind(self, model: Trained) -> None:
        """Bring a model to what it was when the run began; its weights come back when training does."""
        if self.back is not None:
            rewind(model, self.back.about["start"])

    def kept(
        self,
        model: Trained,
        start: Mapping[str, Any],
        recipe: Recipe,
        train: Loader | Stream,
        held: Loader | Stream | None,
        place: Mapping[str, Any],
    ) -> Keeper:
        """Return what keeps a training.

        Args:
            model: What is trained.
            start: What `start_of` returned before the training.
            recipe: How.
            train: What it is trained on.
            held: What is scored after each epoch, or None.
            place: Where: `processes`, `device` and `threads`.

        Raises:
            ConfigError: It is another training than the one in the checkpoint.
        """
        depends = fingerprint.fingerprint(model, recipe, train, held, place)
        if self.back is not None:
            loose = fingerprint.check(self.back.about["fingerprint"], depends)
            if loose:
                kept = "weights, optimizer, schedule and history are kept, the numbers will differ in their last bits"
                warn(f"going on where {', '.join(loose)}: {kept}", UserWarning, stacklevel=4)
        told_before = _record(self.folder)
        self.keeper = Keeper(
            self.folder,
            store=self.store,
            every=self.every,
            requests=self.requests,
            about={"model": model.spec.name, "start": dict(start), "fingerprint": depends},
            told=Record(
                model=model.spec.name,
                epochs=len(start["history"]) + recipe.epochs,
                begun=told_before.begun if told_before and self.back else 0.0,
                command=told_before.command if told_before else None,
                monitor=told_before.monitor if told_before else "",
            ),
            back=self.back,
        )
        return self.keeper


@contextmanager
def opened(folder: str | Path | None, *, every: str, newest: int, resume: bool | str) -> Iterator[Run | None]:
    """Yield the run in a folder, or None where none is wanted; `run.json` says how it ended.

    Args:
        folder: Folder of the run.
        every: How often a checkpoint is written; see `zoo.training.checkpoint.interval`.
        newest: How many of the newest are kept.
        resume: True goes on with the run that is there, `auto` also begins one.

    Raises:
        ConfigError: An argument is not what it may be; there is a run and `resume` is False.
        WeightsError: There is nothing to go on from, or all of it is damaged.
        BusyError: Another process trains there.
    """
    if resume not in (True, False, "auto"):
        raise ConfigError(f"resume is True, False or 'auto', not {resume!r}")
    if not isinstance(newest, int) or isinstance(newest, bool) or newest < 1:
        raise ConfigError(f"newest is how many checkpoints are kept, at least 1, not {newest!r}")
    interval = Interval.of(every)
    if folder is None:
        if resume is not False or every != "epoch":
            given = "every" if resume is False else "resume"
            raise ConfigError(f"{given} needs checkpoint=, the folder of the run")
        yield None
        return
    if not isinstance(folder, str | Path) or not str(folder):
        raise ConfigError(f"checkpoint is a folder, not {folder!r}")
    place = resolved(Path(folder))
    with ExitStack() as stack:
        store = Store(place, newest=newest)
        if resume is True and not store.folder.is_dir():
            store.good()  # says that there is nothing, and nothing is made
        if is_first():
            _hold(stack, place)
            store.mend()
        back = _found(store, place, resume)
        run = Run(folder=place, store=store, every=interval, requests=stack.enter_context(heard()), back=back)
        with _told(run):
            yield run


def _hold(stack: ExitStack, place: Path) -> None:
    try:
        (place / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
        stack.enter_context(locked(place / CHECKPOINTS))
    except BusyError:
        raise BusyError(f"another process trains in {place}; wait for it, or choose another folder") from None
    except OSError as error:
        raise WeightsError(f"cannot keep checkpoints in {place}: {error.strerror or error}") from error


def _found(store: Store, place: Path, resume: bool | str) -> Checkpoint | None:
    names = store.names()
    if resume is False and names:
        raise ConfigError(
            f"{place} holds a run with {len(names)} checkpoints; resume=True goes on with it, or choose another folder"
        )
    if resume is False or (resume == "auto" and not names):
        return None
    return store.good(is_owner=is_first())


def _record(place: Path) -> Record | None:
    try:
        return record.read(place)
    except WeightsError:  # it only tells people; the checkpoints hold what matters
        return None


@contextmanager
def _told(run: Run) -> Iterator[None]:
    """Say in `run.json` why the run ended, unless it says so already."""
    try:
        yield
    except (Interrupted, Terminated):
        raise
    except (KeyboardInterrupt, SystemExit):
        _say(run, "stopped at once by a second signal", "interrupted")
        raise
    except ZooError as error:
        _say(run, str(error), "failed")
        raise
    except Exception as error:
        _say(run, f"{type(error).__name__}: {error}", "failed")
        raise


def _say(run: Run, problem: str, state: str) -> None:
    if run.keeper is not None and is_first():
        run.keeper.failed(problem, state=state)
