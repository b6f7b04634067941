"""How many threads share a small batch: whichever number is faster here and now. The bits are the same."""

from __future__ import annotations

WINDOW_CALLS = 32
"""Calls that are timed together."""
MIN_RETRY_WINDOWS, MAX_RETRY_WINDOWS = 64, 4096
"""Windows between two trials of many threads, after one that was won, and after many that were lost."""


class ThreadTuner:
    """Tries one thread and all, stays with the faster, and goes back to one as soon as all are no faster.

    On a machine that does other work too, threads wait for each other far longer than they save, and that shows.
    """

    def __init__(self) -> None:
        self.is_multithreaded = False
        """Whether the next call is to be shared."""
        self._num_calls, self._seconds = 0, 0.0
        self._single_seconds = 0.0  # seconds of a call in one thread
        self._windows_left, self._retry_windows = (
            1,
            MIN_RETRY_WINDOWS,
        )  # windows to the next trial, and to that after it if it is lost

    def record(self, seconds: float) -> None:
        """Hear how long a call took."""
        self._num_calls, self._seconds = self._num_calls + 1, self._seconds + seconds
        if self.is_multithreaded and self._seconds >= WINDOW_CALLS * self._single_seconds:
            self._reject_threads()
        elif self._num_calls == WINDOW_CALLS:
            self._keep_threads() if self.is_multithreaded else self._record_single()

    def _reject_threads(self) -> None:
        self._start_window(multithreaded=False)
        self._windows_left, self._retry_windows = self._retry_windows, min(2 * self._retry_windows, MAX_RETRY_WINDOWS)

    def _keep_threads(self) -> None:
        self._start_window(multithreaded=True)
        self._retry_windows = MIN_RETRY_WINDOWS

    def _record_single(self) -> None:
        self._single_seconds, self._windows_left = self._seconds / WINDOW_CALLS, self._windows_left - 1
        self._start_window(multithreaded=self._windows_left <= 0)

    def _start_window(self, *, multithreaded: bool) -> None:
        self._num_calls, self._seconds, self.is_multithreaded = 0, 0.0, multithreaded
