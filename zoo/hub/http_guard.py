"""What every request and answer of the client must satisfy while zoo is asking.

The client trusts its server: it follows redirects, sends its token where a server tells it to, waits for as long as a
server asks, and makes file names of an answer's headers. The hooks here do not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

from zoo.errors import HubUnreachableError, HubUntrustedError
from zoo.hub.retry import FAULTS, LONGEST, WAITS, wait_of
from zoo.saving.hub_reference import is_commit

TIMEOUT = 60.0
"""Seconds without a byte after which an answer is given up; the environment's ZOO_HUB_TIMEOUT replaces it."""
TRIES = len(WAITS) + 1
"""How often one request is sent without a good answer."""
LINK = re.compile(r"<([^>]*)>([^<]*)")
TAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
PORTS = {"http": 80, "https": 443}
RESOLVE = "/resolve/"
PROBE = "/api/agent-harnesses"
"""What the client asks the public Hub on the way, whatever endpoint it was given, and can do without."""


@dataclass(kw_only=True)
class Guard:
    """The rules of one question to one endpoint; `home` is the public Hub, which mirrors name in their answers."""

    endpoint: str
    home: str = ""
    timeout: float = TIMEOUT
    last: tuple[str, str] = ("", "")
    tries: int = 0

    def check_request(self, request: Any) -> None:
        """Limit a request's time and number, keep the token to the endpoint, and refuse to leave encryption."""
        self._count(request)
        limits = dict(request.extensions.get("timeout") or {})
        limits = {each: min(limits.get(each) or self.timeout, self.timeout) for each in _PHASES}
        request.extensions = {**request.extensions, "timeout": limits}
        url = str(request.url)
        if url.endswith(PROBE) and origin(url) != origin(self.endpoint):
            raise HubUntrustedError(f"{url} has nothing to do with {self.endpoint}")
        if is_plain(url) and not is_plain(self.endpoint):
            raise HubUntrustedError(f"{self.endpoint} sends zoo on to {host_of(url)} without encryption; not followed")
        if origin(url) != origin(self.endpoint) and "authorization" in request.headers:
            del request.headers["authorization"]

    def check_answer(self, response: Any) -> None:
        """Refuse an answer that leads elsewhere, makes zoo wait for long, or names what is no version of a file."""
        url = str(response.request.url)
        self._check_fault(response)
        if origin(url) != origin(self.endpoint):
            return
        self._check_storage(response.headers)
        path = urlsplit(url).path
        if 300 <= response.status_code < 400 and not is_of_file(path):
            self._check_redirect(urljoin(url, response.headers.get("location", "")))
        elif response.status_code < 400 and is_of_file(path) and response.request.method == "HEAD":
            _check_version(response.headers, path)

    def _count(self, request: Any) -> None:
        """Stop the client's own retries, which can take minutes, after as many as zoo's; going on is no retry."""
        if "range" in request.headers:
            return
        this = request.method, str(request.url)
        self.tries = self.tries + 1 if this == self.last else 1
        self.last = this
        if self.tries > TRIES:
            raise HubUnreachableError(f"{self.endpoint} gave no whole answer, also when asked again; try again later")

    def _check_fault(self, response: Any) -> None:
        status = response.status_code
        wait = wait_of(response.headers) or 0.0
        if status in FAULTS and wait > LONGEST:
            raise HubUnreachableError(f"{self.endpoint} asks to wait {wait:.0f} s; try again then")
        if status in FAULTS and self.tries >= TRIES:
            raise HubUnreachableError(f"{self.endpoint} answered {status}, also when asked again; try again later")

    def _check_storage(self, headers: Any) -> None:
        """Refuse a store for large files that is no web address, or whose keys would be asked for elsewhere."""
        store = headers.get("x-xet-cas-url", "https://")
        if is_plain(store) and not is_loopback(self.endpoint):
            raise HubUntrustedError(f"{self.endpoint} keeps files at {_shown(store)}, which is not safe; not used")
        routes = [url for url, kind in LINK.findall(headers.get("link", "")) if "xet-auth" in kind]
        for url in [*routes, headers.get("x-xet-refresh-route", self.endpoint)]:
            if origin(url) not in (origin(self.endpoint), origin(self.home)):
                raise HubUntrustedError(f"{self.endpoint} wants the token sent to {host_of(url)}; not done")

    def _check_redirect(self, target: str) -> None:
        if origin(target) != origin(self.endpoint):
            raise HubUntrustedError(f"{self.endpoint} sends zoo on to another host, {host_of(target)}; not followed")


_PHASES = ("connect", "read", "write", "pool")
_guard: ContextVar[Guard | None] = ContextVar("zoo_hub_guard", default=None)


@contextmanager
def guarded(session: Any, endpoint: str, home: str) -> Iterator[Guard]:
    """Guard what this thread asks through the client's session until the block ends."""
    for kind, hook in (("request", _before), ("response", _after)):
        if hook not in session.event_hooks[kind]:
            session.event_hooks[kind].append(hook)
    guard = Guard(endpoint=endpoint, home=home, timeout=_timeout())
    token = _guard.set(guard)
    try:
        yield guard
    finally:
        _guard.reset(token)


def _before(request: Any) -> None:
    guard = _guard.get()
    if guard:
        guard.check_request(request)


def _after(response: Any) -> None:
    guard = _guard.get()
    if guard:
        guard.check_answer(response)


def _timeout() -> float:
    try:
        return max(float(os.environ.get("ZOO_HUB_TIMEOUT", TIMEOUT)), 0.01)
    except ValueError:
        return TIMEOUT


def _check_version(headers: Any, path: str) -> None:
    """Refuse a file's version that is no hash: the client makes file names of it."""
    commit = headers.get("x-repo-commit")
    asked = path.partition(RESOLVE)[2].partition("/")[0]
    if commit is not None and (not is_commit(commit) or (is_commit(asked) and commit != asked)):
        raise HubUntrustedError(f"asked for commit {asked}, the Hub answers with {_shown(commit)}; not used")
    tag = headers.get("x-linked-etag") or headers.get("etag")
    if tag is not None and not TAG.fullmatch(tag.removeprefix("W/").strip('"')):
        raise HubUntrustedError(f"the Hub names a file's version {_shown(tag)}, which is no hash; not used")


def _shown(text: str) -> str:
    return repr(text[:80])


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port: what a token is for; three times nothing if it is no address."""
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0


def host_of(url: str) -> str:
    """Return the host of an address, for a message."""
    return _shown(origin(url)[1])


def is_of_file(path: str) -> bool:
    """Return whether a path is that of a file's bytes."""
    before, found, _ = path.partition(RESOLVE)
    return bool(found) and "/api/" not in before


def is_plain(url: str) -> bool:
    """Return whether an address would be read without encryption from over a network, or is none of the web."""
    return origin(url)[0] != "https" and not is_loopback(url)


def is_loopback(url: str) -> bool:
    """Return whether an address of the web is on this machine."""
    scheme, host, _ = origin(url)
    return scheme in PORTS and _is_own(host)


def _is_own(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
