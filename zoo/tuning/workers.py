"""Work done in several processes, one thing at a time in each; one that dies takes only its own with it."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, NamedTuple, TypeVar

from zoo.errors import ConfigError, ZooError

T = TypeVar("T")
R = TypeVar("R")
DIED = "its process died; there may be too little memory for so many jobs"
PATIENCE = 10.0
"""Seconds that a process has to end when it is told to."""


class Outcome(NamedTuple, Generic[T, R]):
    """What became of a task: a value, or a problem."""

    task: T
    value: R | None
    problem: str


class Lane(Generic[T, R]):
    """A process that does one task at a time.

    Args:
        work: What is done with a task, by name: a function of a module.
        begin: What is called in the process first.
    """

    def __init__(self, work: Callable[[T], R], begin: Callable[[], None]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work, begin), daemon=True)
        self._process.start()
        theirs.close()
        self._task: T | None = None

    def give(self, task: T) -> None:
        """Begin a task."""
        self._task = task
        self.pipe.send(task)

    def taken(self) -> Outcome[T, R]:
        """Return what became of the task, once the pipe has something to read."""
        assert self._task is not None
        try:
            return Outcome(self._task, *self.pipe.recv())
        except (EOFError, ConnectionResetError):
            return Outcome(self._task, None, DIED)

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.terminate()
        self._process.join(PATIENCE)
        self.pipe.close()


def outcomes(
    tasks: Sequence[T], work: Callable[[T], R], *, jobs: int, begin: Callable[[], None]
) -> Iterator[Outcome[T, R]]:
    """Yield what became of each task as it ends; all processes end with this, on Ctrl-C too.

    Args:
        tasks: What there is to do.
        work: What is done with a task; its errors are problems of that task.
        jobs: Processes at a time.
        begin: What is called in each process first.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is how many trainings run at a time, at least 1, not {jobs}")
    waiting = deque(tasks)
    lanes: dict[Any, Lane[T, R]] = {}
    try:
        while waiting or lanes:
            while waiting and len(lanes) < jobs:
                lane = Lane(work, begin)
                lane.give(waiting.popleft())
                lanes[lane.pipe] = lane
            for pipe in wait(list(lanes)):
                outcome = lanes[pipe].taken()
                if waiting and outcome.problem != DIED:
                    lanes[pipe].give(waiting.popleft())
                else:
                    lanes.pop(pipe).close()
                yield outcome
    finally:
        for lane in lanes.values():
            lane.close()


def _serve(pipe: Connection, work: Callable[[Any], Any], begin: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who began this, and ends it
    begin()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(_tried(work, task))


def _tried(work: Callable[[Any], Any], task: Any) -> tuple[Any, str]:
    try:
        return work(task), ""
    except ZooError as error:
        return None, str(error)
    except Exception as error:  # a model's or a plugin's: the other tasks go on
        return None, f"{type(error).__name__}: {error}"
