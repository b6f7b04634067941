"""What goes wrong on purpose: which requests it strikes, how often, and how."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch

from .exchange import Answer, refused
from .refusal import Refusal


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong; `kind`, `path` and `method` may hold `*`."""

    kind: str  # a kind of routes.ROUTES
    path: str = "*"  # of the request, without its query
    method: str = "*"
    times: int | None = 1  # None: every time
    skip: int = 0  # let this many matching requests pass first
    status: int | None = None  # answer this and do nothing
    code: str = ""  # the X-Error-Code of that answer
    message: str = "injected"
    delay: float = 0.0  # seconds before the request is looked at
    drop_upload_after: int | None = None  # read so many bytes of the request's body, hang up, do nothing
    drop_after: int | None = None  # do what was asked, send so many bytes of the body, hang up; 0: no head either
    truncate_at: int | None = None  # send only so many bytes of the body and say so honestly
    flip_at: int | None = None  # flip the bits of this byte of the body; negative: from its end
    body: bytes | None = None  # answer with this body in place of the true one
    headers: Mapping[str, str | None] = field(default_factory=dict)  # set, or with None take away

    def strikes(self, kind: str, method: str, path: str) -> bool:
        return fnmatch(kind, self.kind) and fnmatch(method, self.method) and fnmatch(path, self.path)

    def instead(self) -> Answer | None:
        """Return the answer that is given with nothing done, if this fault is of that sort."""
        return refused(Refusal(self.status, self.message, code=self.code)) if self.status else None

    def spoil(self, answer: Answer) -> Answer:
        """Return the answer as it leaves the server."""
        body = answer.body if self.body is None else self.body
        body = body if self.truncate_at is None else body[: self.truncate_at]
        changed = {name.lower() for name in self.headers}
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in changed}
        added = {name: value for name, value in self.headers.items() if value is not None}
        return replace(answer, body=body if self.flip_at is None else flipped(body, self.flip_at), headers=kept | added)


NONE = Fault(kind="")


def flipped(body: bytes, at: int) -> bytes:
    if not -len(body) <= at < len(body):
        return body
    place = at % len(body)
    return body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :]


class Faults:
    """The faults to come, in the order they were added; the first that matches strikes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, kind: str, **how) -> Fault:
        """Add a fault, in the words of `Fault`, and return it."""
        fault = Fault(kind=kind, **how)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, kind: str, method: str, path: str) -> Fault:
        """Return the fault of this request, `NONE` if it has none, and count it."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if not fault.strikes(kind, method, path):
                    continue
                if fault.skip:
                    self._waiting[place] = replace(fault, skip=fault.skip - 1)
                    continue
                self._count(place, fault)
                return fault
        return NONE

    def _count(self, place: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times > 1:
            self._waiting[place] = replace(fault, times=fault.times - 1)
        else:
            del self._waiting[place]
