"""Choose how many threads share a small batch, from measured times. The results are bitwise the same either way."""

from __future__ import annotations

WINDOW_CALLS = 32
"""Calls that are timed together."""
MIN_RETRY_WINDOWS, MAX_RETRY_WINDOWS = 64, 4096
"""Windows in one thread before all threads are tried again: at first, and after many attempts without success."""


class ThreadTuner:
    """Tries one thread and all threads, uses the faster, and returns to one thread as soon as all are not faster.

    A small batch takes 50 to 800 microseconds. On idle cores all threads finish it up to 1.8 times sooner. On a machine
    with other work, threads wait for each other: a batch of 64 images then takes 60 times as long as in one thread.
    No fixed rule fits both, so this class measures. Attempts without success become rare (their interval doubles), and
    each ends as soon as it has cost as much as a window in one thread.
    """

    def __init__(self) -> None:
        self.is_multithreaded = False
        """Whether the next call is to use all threads."""
        self._num_calls, self._seconds = 0, 0.0
        self._single_seconds = 0.0  # seconds of a call in one thread
        self._windows_left = 1  # windows in one thread before the next attempt
        self._retry_windows = MIN_RETRY_WINDOWS  # windows to wait if that attempt has no success

    def record(self, seconds: float) -> None:
        """Record how long a call took, and choose the number of threads for the next one."""
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
