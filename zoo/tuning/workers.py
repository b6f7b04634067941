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
PROCESS_DIED = "its process died; there may be too little memory for so many jobs"
JOIN_TIMEOUT = 10.0
"""Seconds that a process has to end when it is told to."""


class TaskResult(NamedTuple, Generic[T, R]):
    """What became of a task: a value, or a problem."""

    task: T
    value: R | None
    problem: str


class Worker(Generic[T, R]):
    """A process that does one task at a time.

    Args:
        function: What is done with a task, by name: a function of a module.
        initializer: What is called in the process first.
    """

    def __init__(self, function: Callable[[T], R], initializer: Callable[[], None]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run_worker, args=(theirs, function, initializer), daemon=True)
        self._process.start()
        theirs.close()
        self._task: T | None = None

    def submit(self, task: T) -> None:
        """Begin a task."""
        self._task = task
        self.pipe.send(task)

    def receive(self) -> TaskResult[T, R]:
        """Return what became of the task, once the pipe has something to read."""
        assert self._task is not None
        try:
            return TaskResult(self._task, *self.pipe.recv())
        except (EOFError, ConnectionResetError):
            return TaskResult(self._task, None, PROCESS_DIED)

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.terminate()
        self._process.join(JOIN_TIMEOUT)
        self.pipe.close()


def run_tasks(
    tasks: Sequence[T], function: Callable[[T], R], *, jobs: int, initializer: Callable[[], None]
) -> Iterator[TaskResult[T, R]]:
    """Yield what became of each task as it ends; all processes end with this, on Ctrl-C too.

    Args:
        tasks: What there is to do.
        function: What is done with a task; its errors are problems of that task.
        jobs: Processes at a time.
        initializer: What is called in each process first.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is how many trainings run at a time, at least 1, not {jobs}")
    waiting = deque(tasks)
    lanes: dict[Any, Worker[T, R]] = {}
    try:
        while waiting or lanes:
            while waiting and len(lanes) < jobs:
                lane = Worker(function, initializer)
                lane.submit(waiting.popleft())
                lanes[lane.pipe] = lane
            for pipe in wait(list(lanes)):
                outcome = lanes[pipe].receive()
                if waiting and outcome.problem != PROCESS_DIED:
                    lanes[pipe].submit(waiting.popleft())
                else:
                    lanes.pop(pipe).close()
                yield outcome
    finally:
        for lane in lanes.values():
            lane.close()


def _run_worker(pipe: Connection, function: Callable[[Any], Any], initializer: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who began this, and ends it
    initializer()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(_run_task(function, task))


def _run_task(function: Callable[[Any], Any], task: Any) -> tuple[Any, str]:
    try:
        return function(task), ""
    except ZooError as error:
        return None, str(error)
    except Exception as error:  # a model's or a plugin's: the other tasks go on
        return None, f"{type(error).__name__}: {error}"
