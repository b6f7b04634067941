"""Run tasks in several worker processes; a process that dies loses only its current task."""

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
"""Seconds to wait for a process to end after it is terminated."""


class TaskResult(NamedTuple, Generic[T, R]):
    """The result of a task: a value, or a problem as text."""

    task: T
    value: R | None
    problem: str


class Worker(Generic[T, R]):
    """A process that runs one task at a time.

    Args:
        function: The function to call with each task; it is pickled by name, so it must belong to a module.
        initializer: The function to call first in the process.
    """

    def __init__(self, function: Callable[[T], R], initializer: Callable[[], None]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        self.pipe, worker_pipe = context.Pipe()
        self._process = context.Process(target=_run_worker, args=(worker_pipe, function, initializer), daemon=True)
        self._process.start()
        worker_pipe.close()
        self._task: T | None = None

    def submit(self, task: T) -> None:
        """Send a task to the process."""
        self._task = task
        self.pipe.send(task)

    def receive(self) -> TaskResult[T, R]:
        """Return the result of the task; blocks until the pipe has something to read."""
        assert self._task is not None
        try:
            return TaskResult(self._task, *self.pipe.recv())
        except (EOFError, ConnectionResetError):
            return TaskResult(self._task, None, PROCESS_DIED)

    def close(self) -> None:
        """Terminate the process, even in the middle of a task."""
        self._process.terminate()
        self._process.join(JOIN_TIMEOUT)
        self.pipe.close()


def run_tasks(
    tasks: Sequence[T], function: Callable[[T], R], *, jobs: int, initializer: Callable[[], None]
) -> Iterator[TaskResult[T, R]]:
    """Yield the result of each task as it ends. All processes end with this generator, also on Ctrl-C.

    Args:
        tasks: The tasks.
        function: The function to call with each task; an error in it is the problem of that task alone.
        jobs: Number of processes at a time.
        initializer: The function to call first in each process.

    Raises:
        ConfigError: `jobs` is below 1.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is the number of processes at a time, at least 1, not {jobs}")
    waiting = deque(tasks)
    workers: dict[Any, Worker[T, R]] = {}
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                worker = Worker(function, initializer)
                worker.submit(waiting.popleft())
                workers[worker.pipe] = worker
            for pipe in wait(list(workers)):
                result = workers[pipe].receive()
                if waiting and result.problem != PROCESS_DIED:
                    workers[pipe].submit(waiting.popleft())
                else:
                    workers.pop(pipe).close()
                yield result
    finally:
        for worker in workers.values():
            worker.close()


def _run_worker(pipe: Connection, function: Callable[[Any], Any], initializer: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C and ends this one
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
    except Exception as error:  # an error of a model or a plugin: the other tasks go on
        return None, f"{type(error).__name__}: {error}"
