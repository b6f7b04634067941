"""Repeat calls that may have failed by chance, a bounded number of times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

RETRY_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
"""Status codes of answers that may differ next time."""
RETRY_DELAYS = (0.3, 1.0, 2.0)
"""Seconds before the second, third and fourth attempt."""
RETRY_DEADLINE = 20.0
"""Seconds after which there is no third attempt."""
MAX_SERVER_DELAY = 10.0
"""Most seconds that zoo waits at a Hub's request."""

T = TypeVar("T")


def call_with_retries(call: Callable[[], T]) -> T:
    """Call a function and return its result; repeat it up to three times if its error may pass."""
    start = time.monotonic()
    for wait in RETRY_DELAYS:
        try:
            return call()
        except Exception as error:
            is_late = wait != RETRY_DELAYS[0] and time.monotonic() - start > RETRY_DEADLINE
            if is_late or not is_transient(error):
                raise
            pause = max(wait, get_retry_after(error) or 0.0)
        time.sleep(pause)
    return call()


def is_transient(error: BaseException) -> bool:
    """Return whether an error comes from a connection or server that may work next time."""
    if "HubError" in list_class_names(error):
        return False
    status = get_status(error)
    if status is not None:
        return status in RETRY_STATUSES and (get_retry_after(error) or 0.0) <= MAX_SERVER_DELAY
    return is_incomplete_answer(error)


def is_incomplete_answer(error: BaseException) -> bool:
    """Return whether the answer is missing or cut short: no connection, a timeout, or fewer bytes than announced."""
    kinds = list_class_names(error)
    if "OfflineModeIsEnabled" in kinds:
        return False
    is_short = any("Consistency check failed" in str(each) for each in iter_causes(error) if isinstance(each, OSError))
    return is_short or bool(kinds & {"TransportError", "ConnectionError", "TimeoutError", "JSONDecodeError"})


def iter_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors it was raised from."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def list_class_names(error: BaseException) -> set[str]:
    """Return the names of the classes of an error and of the errors it was raised from.

    They are compared by name, since only `zoo.hub.client` may import the packages that define them.
    """
    return {kind.__name__ for each in iter_causes(error) for kind in type(each).__mro__}


def get_status(error: BaseException) -> int | None:
    """Return the status code of the answer that caused an error, or None without an answer."""
    statuses = (getattr(getattr(each, "response", None), "status_code", None) for each in iter_causes(error))
    return next((status for status in statuses if isinstance(status, int)), None)


def get_retry_after(error: BaseException) -> float | None:
    """Return the seconds that the Hub requests zoo to wait, or None."""
    answers: Iterator[Any] = (getattr(each, "response", None) for each in iter_causes(error))
    return next(
        (wait for each in answers if each is not None and (wait := parse_retry_after(each.headers)) is not None), None
    )


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait by the header `Retry-After` or an exhausted `ratelimit`, or None."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text[:9])
    parts = dict(part.strip().partition("=")[::2] for part in headers.get("ratelimit", "").split(";") if "=" in part)
    seconds = parts.get("t", "")
    return float(seconds[:9]) if parts.get("r") == "0" and seconds.isdecimal() else None
