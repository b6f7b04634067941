"""Tasks are done in several processes; one that fails or dies takes only its own task with it."""

import os
import signal
import threading
import time
from multiprocessing import active_children

import pytest

from zoo.errors import ConfigError
from zoo.tuning.workers import PROCESS_DIED, run_tasks


def nothing():
    """Begin a process."""


def work(task):
    if task == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "refuses":
        raise ConfigError("not so")
    if task == "breaks":
        raise ZeroDivisionError("by nothing")
    if task == "sleeps":
        time.sleep(600)
    return f"{task} done"


def test_one_that_dies_or_fails_takes_only_its_own_task_with_it():
    tasks = ("one", "dies", "refuses", "two", "breaks", "three")
    found = {task: (value, problem) for task, value, problem in run_tasks(tasks, work, jobs=2, initializer=nothing)}
    assert found == {
        "one": ("one done", ""),
        "two": ("two done", ""),
        "three": ("three done", ""),
        "dies": (None, PROCESS_DIED),
        "refuses": (None, "not so"),
        "breaks": (None, "ZeroDivisionError: by nothing"),
    }
    assert active_children() == []


def test_ctrl_c_ends_all_processes_at_once():
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(run_tasks(("sleeps", "sleeps"), work, jobs=2, initializer=nothing))
    assert time.monotonic() - start < 20
    assert active_children() == []


def test_no_process_at_all_is_refused():
    with pytest.raises(ConfigError, match="at least 1, not 0"):
        list(run_tasks(("one",), work, jobs=0, initializer=nothing))
