"""Log the requests in order, for a test to read or a person to watch."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Record:
    """One request, written down when its head has arrived; `status` follows when it is answered."""

    kind: str
    method: str
    path: str  # with its query, as the client quoted it
    headers: Mapping[str, str]  # names in any case
    origin: str  # `hub`, or `cdn` for the other name of this server
    time: float = field(default_factory=time.time)
    status: int = 0  # 0: no answer was begun
    sent: int = 0  # bytes of the answer's body that set out
    answered: float = 0.0  # when the answer, or the end of the connection, set out

    @property
    def authorization(self) -> str | None:
        return self.headers.get("Authorization")

    @property
    def host(self) -> str:
        return self.headers.get("Host", "")

    def __str__(self) -> str:
        return f"{self.status or '---'} {self.method:6} {self.origin} {self.path} [{self.kind}]"


class Log:
    """The requests so far."""

    def __init__(self, say: Callable[[str], object] | None = None):
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._say = say

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, place: int) -> Record:
        return self._records[place]

    def of(self, *kinds: str) -> list[Record]:
        """Return the requests of these kinds."""
        return [record for record in self if record.kind in kinds]

    @property
    def kinds(self) -> list[str]:
        """The kinds of all requests, in order."""
        return [record.kind for record in self]

    def clear(self) -> None:
        with self._lock:
            self._records.clear()

    def add(self, record: Record) -> Record:
        with self._lock:
            self._records.append(record)
        return record

    def tell(self, record: Record) -> None:
        """Note that a request is answered now, and show it to whoever watches."""
        record.answered = time.time()
        if self._say:
            self._say(str(record))
