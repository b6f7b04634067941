"""Defer Ctrl-C and SIGTERM to the end of a step; a second signal acts at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HANDLED_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C: training stopped after a step, with a checkpoint written; the message says how to resume."""


class Terminated(SystemExit):
    """SIGTERM: training stopped as for `Interrupted`; the process ends with exit code 143.

    Args:
        message: Where training stopped and how to resume.
    """

    def __init__(self, message: str) -> None:
        super().__init__(128 + signal.SIGTERM)
        self.message = message

    def __str__(self) -> str:
        return self.message


class StopRequests:
    """Remember the first signal.

    Attributes:
        signal_number: The signal, or 0 if none has come.
        handled_signals: Signals whose handler is replaced.
    """

    def __init__(self) -> None:
        self.signal_number = 0
        self.handled_signals: list[signal.Signals] = []
        self._process_id = os.getpid()

    def handle(self, signal_number: int, _frame: FrameType | None) -> None:
        """Remember the signal and restore the default handlers, so that the next signal acts at once."""
        for each in self.handled_signals:
            signal.signal(each, signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL)
        if os.getpid() != self._process_id:  # a worker of a data loader, forked from the training process
            os.kill(os.getpid(), signal_number)
        self.signal_number = signal_number


def make_exit(signal_number: int, message: str) -> Interrupted | Terminated:
    """Return the exception that ends training for a signal."""
    return Interrupted(message) if signal_number == signal.SIGINT else Terminated(message)


@contextmanager
def defer_signals() -> Iterator[StopRequests]:
    """Record signals until the block ends instead of acting on them.

    Python allows that only in the main thread. Signals that the process ignores stay ignored.
    """
    requests = StopRequests()
    if threading.current_thread() is not threading.main_thread():
        yield requests
        return
    before = {each: signal.getsignal(each) for each in HANDLED_SIGNALS}
    requests.handled_signals = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
    for each in requests.handled_signals:
        signal.signal(each, requests.handle)
    try:
        yield requests
    finally:
        for each in requests.handled_signals:
            signal.signal(each, before[each])
