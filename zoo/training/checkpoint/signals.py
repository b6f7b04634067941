"""Ctrl-C and SIGTERM, heard once and answered at the end of a step; a second one acts at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HANDLED_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C: training was stopped after a step, and a checkpoint was written; the message says how to go on."""


class Terminated(SystemExit):
    """SIGTERM: as `Interrupted`; the process ends with code 143.

    Args:
        message: How to go on.
    """

    def __init__(self, message: str) -> None:
        super().__init__(128 + signal.SIGTERM)
        self.message = message

    def __str__(self) -> str:
        return self.message


class StopRequests:
    """Whether somebody asks to stop."""

    def __init__(self) -> None:
        self.signal_number = 0
        self.handled_signals: list[signal.Signals] = []
        self._process = os.getpid()

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Remember the signal; the next one has its usual effect."""
        for each in self.handled_signals:
            signal.signal(each, signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL)
        if os.getpid() != self._process:  # a worker of somebody's loader, which was forked from us
            os.kill(os.getpid(), number)
        self.signal_number = number


def make_exit(number: int, message: str) -> Interrupted | Terminated:
    """Return what ends training for a signal."""
    return Interrupted(message) if number == signal.SIGINT else Terminated(message)


@contextmanager
def defer_signals() -> Iterator[StopRequests]:
    """Hear signals until the block ends; only the main thread can, and one that ignores a signal goes on to."""
    requests = StopRequests()
    if threading.current_thread() is not threading.main_thread():
        yield requests
        return
    before = {number: signal.getsignal(number) for number in HANDLED_SIGNALS}
    requests.handled_signals = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in requests.handled_signals:
        signal.signal(number, requests.handle)
    try:
        yield requests
    finally:
        for number in requests.handled_signals:
            signal.signal(number, before[number])
