"""How many threads share a small batch: whichever number is faster here and now. The bits are the same."""

from __future__ import annotations

WINDOW = 32
"""Calls that are timed together."""
STAY, LONGEST = 64, 4096
"""Windows between two trials of many threads, after one that was won, and after many that were lost."""


class Pace:
    """Tries one thread and all, stays with the faster, and goes back to one as soon as all are no faster.

    On a machine that does other work too, threads wait for each other far longer than they save, and that shows.
    """

    def __init__(self) -> None:
        self.is_shared = False
        """Whether the next call is to be shared."""
        self._calls, self._seconds = 0, 0.0
        self._alone = 0.0  # seconds of a call in one thread
        self._left, self._stay = 1, STAY  # windows to the next trial, and to that after it if it is lost

    def took(self, seconds: float) -> None:
        """Hear how long a call took."""
        self._calls, self._seconds = self._calls + 1, self._seconds + seconds
        if self.is_shared and self._seconds >= WINDOW * self._alone:
            self._lose()
        elif self._calls == WINDOW:
            self._win() if self.is_shared else self._time_alone()

    def _lose(self) -> None:
        self._begin(is_shared=False)
        self._left, self._stay = self._stay, min(2 * self._stay, LONGEST)

    def _win(self) -> None:
        self._begin(is_shared=True)
        self._stay = STAY

    def _time_alone(self) -> None:
        self._alone, self._left = self._seconds / WINDOW, self._left - 1
        self._begin(is_shared=self._left <= 0)

    def _begin(self, *, is_shared: bool) -> None:
        self._calls, self._seconds, self.is_shared = 0, 0.0, is_shared
