"""Tasks run in several processes; a process that fails or dies loses only its own task."""

import os
import signal
import threading
import time
from multiprocessing import active_children

import pytest

from zoo.errors import ConfigError
from zoo.tuning.workers import PROCESS_DIED, run_tasks


def do_nothing():
    """Initialize a process."""


def run_task(task):
    if task == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "refuses":
        raise ConfigError("not so")
    if task == "breaks":
        raise ZeroDivisionError("by nothing")
    if task == "sleeps":
        time.sleep(600)
    return f"{task} done"


def test_a_process_that_dies_or_fails_loses_only_its_own_task():
    tasks = ("one", "dies", "refuses", "two", "breaks", "three")
    results = {
        task: (value, problem) for task, value, problem in run_tasks(tasks, run_task, jobs=2, initializer=do_nothing)
    }
    assert results == {
        "one": ("one done", ""),
        "two": ("two done", ""),
        "three": ("three done", ""),
        "dies": (None, PROCESS_DIED),
        "refuses": (None, "not so"),
        "breaks": (None, "ZeroDivisionError: by nothing"),
    }
    assert active_children() == []


def test_ctrl_c_ends_all_processes_at_once():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(run_tasks(("sleeps", "sleeps"), run_task, jobs=2, initializer=do_nothing))
    signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 20
    assert active_children() == []


def test_less_than_one_process_is_refused():
    with pytest.raises(ConfigError, match="at least 1, not 0"):
        list(run_tasks(("one",), run_task, jobs=0, initializer=do_nothing))
