"""Ask again what may have failed by chance, a bounded number of times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

FAULTS = frozenset({408, 429, 500, 502, 503, 504})
"""Answers that may be another one next time."""
WAITS = (0.3, 1.0, 2.0)
"""Seconds before the second, third and fourth try."""
ENOUGH = 20.0
"""After so many seconds there is no third try."""
LONGEST = 10.0
"""Most seconds that zoo waits because a Hub asks it to."""

T = TypeVar("T")


def retried(call: Callable[[], T]) -> T:
    """Return what `call` returns, at its second, third or fourth try if it fails in a way that can pass."""
    began = time.monotonic()
    for wait in WAITS:
        try:
            return call()
        except Exception as error:
            late = wait != WAITS[0] and time.monotonic() - began > ENOUGH
            if late or not can_pass(error):
                raise
            pause = max(wait, asked_wait(error) or 0.0)
        time.sleep(pause)
    return call()


def can_pass(error: BaseException) -> bool:
    """Return whether an error comes from a connection or server that may do better next time."""
    if "HubError" in kinds_of(error):
        return False
    status = status_of(error)
    if status is not None:
        return status in FAULTS and (asked_wait(error) or 0.0) <= LONGEST
    return is_broken(error)


def is_broken(error: BaseException) -> bool:
    """Return whether no whole answer came: not connected, timed out, dropped, or shorter than it said."""
    kinds = kinds_of(error)
    if "OfflineModeIsEnabled" in kinds:
        return False
    short = any("Consistency check failed" in str(each) for each in chain(error) if isinstance(each, OSError))
    return short or bool(kinds & {"TransportError", "ConnectionError", "TimeoutError", "JSONDecodeError"})


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def kinds_of(error: BaseException) -> set[str]:
    """Return the names of an error's classes, and of those of what it was raised from.

    By name, since the client's classes come from packages that only its door may import.
    """
    return {kind.__name__ for each in chain(error) for kind in type(each).__mro__}


def status_of(error: BaseException) -> int | None:
    """Return the status of the answer that an error is about, if there was one."""
    found = (getattr(getattr(each, "response", None), "status_code", None) for each in chain(error))
    return next((status for status in found if isinstance(status, int)), None)


def asked_wait(error: BaseException) -> float | None:
    """Return the seconds that the Hub asks to wait, if it does."""
    answers: Iterator[Any] = (getattr(each, "response", None) for each in chain(error))
    return next((wait for each in answers if each is not None and (wait := wait_of(each.headers)) is not None), None)


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer's headers ask to wait, by `Retry-After` or an emptied `ratelimit`."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text[:9])
    parts = dict(part.strip().partition("=")[::2] for part in headers.get("ratelimit", "").split(";") if "=" in part)
    seconds = parts.get("t", "")
    return float(seconds[:9]) if parts.get("r") == "0" and seconds.isdecimal() else None
