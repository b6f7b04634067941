"""Ask again what may have failed by chance, a bounded number of times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

RETRY_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
"""Answers that may be another one next time."""
RETRY_DELAYS = (0.3, 1.0, 2.0)
"""Seconds before the second, third and fourth try."""
RETRY_DEADLINE = 20.0
"""After so many seconds there is no third try."""
MAX_SERVER_DELAY = 10.0
"""Most seconds that zoo waits because a Hub asks it to."""

T = TypeVar("T")


def call_with_retries(call: Callable[[], T]) -> T:
    """Return what `call` returns, at its second, third or fourth try if it fails in a way that can pass."""
    began = time.monotonic()
    for wait in RETRY_DELAYS:
        try:
            return call()
        except Exception as error:
            late = wait != RETRY_DELAYS[0] and time.monotonic() - began > RETRY_DEADLINE
            if late or not is_transient(error):
                raise
            pause = max(wait, get_retry_after(error) or 0.0)
        time.sleep(pause)
    return call()


def is_transient(error: BaseException) -> bool:
    """Return whether an error comes from a connection or server that may do better next time."""
    if "HubError" in list_class_names(error):
        return False
    status = get_status(error)
    if status is not None:
        return status in RETRY_STATUSES and (get_retry_after(error) or 0.0) <= MAX_SERVER_DELAY
    return is_incomplete_answer(error)


def is_incomplete_answer(error: BaseException) -> bool:
    """Return whether no whole answer came: not connected, timed out, dropped, or shorter than it said."""
    kinds = list_class_names(error)
    if "OfflineModeIsEnabled" in kinds:
        return False
    short = any("Consistency check failed" in str(each) for each in iter_causes(error) if isinstance(each, OSError))
    return short or bool(kinds & {"TransportError", "ConnectionError", "TimeoutError", "JSONDecodeError"})


def iter_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def list_class_names(error: BaseException) -> set[str]:
    """Return the names of an error's classes, and of those of what it was raised from.

    By name, since the client's classes come from packages that only its door may import.
    """
    return {kind.__name__ for each in iter_causes(error) for kind in type(each).__mro__}


def get_status(error: BaseException) -> int | None:
    """Return the status of the answer that an error is about, if there was one."""
    found = (getattr(getattr(each, "response", None), "status_code", None) for each in iter_causes(error))
    return next((status for status in found if isinstance(status, int)), None)


def get_retry_after(error: BaseException) -> float | None:
    """Return the seconds that the Hub asks to wait, if it does."""
    answers: Iterator[Any] = (getattr(each, "response", None) for each in iter_causes(error))
    return next(
        (wait for each in answers if each is not None and (wait := parse_retry_after(each.headers)) is not None), None
    )


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer's headers ask to wait, by `Retry-After` or an emptied `ratelimit`."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text[:9])
    parts = dict(part.strip().partition("=")[::2] for part in headers.get("ratelimit", "").split(";") if "=" in part)
    seconds = parts.get("t", "")
    return float(seconds[:9]) if parts.get("r") == "0" and seconds.isdecimal() else None
