"""Check every request and response of the client while zoo uses it.

The client trusts its server: it follows redirects, sends its token where a server says, waits as long as a server
says, and makes file names from the headers of a response. The hooks here do not.
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
from zoo.hub.retry import MAX_SERVER_DELAY, RETRY_DELAYS, RETRY_STATUSES, parse_retry_after
from zoo.saving.reference import is_commit

TIMEOUT = 60.0
"""Seconds without a byte after which a request fails; the environment variable ZOO_HUB_TIMEOUT replaces it."""
MAX_ATTEMPTS = len(RETRY_DELAYS) + 1
"""Attempts of one request without a valid answer."""
LINK_PATTERN = re.compile(r"<([^>]*)>([^<]*)")
ETAG_PATTERN = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
DEFAULT_PORTS = {"http": 80, "https": 443}
RESOLVE_PATH = "/resolve/"
PROBE_PATH = "/api/agent-harnesses"
"""Path that the client requests from the public Hub whatever its endpoint is, and can do without."""


@dataclass(kw_only=True)
class HttpGuard:
    """Check the requests and responses of one call to one endpoint.

    Args:
        endpoint: URL of the Hub.
        public_endpoint: URL of the public Hub, which mirrors name in their answers.
        timeout: Seconds without a byte after which a request fails.
        last_request: Method and URL of the last request.
        attempts: Times that the last request was sent.
    """

    endpoint: str
    public_endpoint: str = ""
    timeout: float = TIMEOUT
    last_request: tuple[str, str] = ("", "")
    attempts: int = 0

    def check_request(self, request: Any) -> None:
        """Limit a request's time and attempts, keep the token at the endpoint, and refuse to leave encryption.

        Raises:
            HubError: The request must not be sent.
        """
        self._count_attempt(request)
        limits = dict(request.extensions.get("timeout") or {})
        limits = {each: min(limits.get(each) or self.timeout, self.timeout) for each in _PHASES}
        request.extensions = {**request.extensions, "timeout": limits}
        url = str(request.url)
        if url.endswith(PROBE_PATH) and parse_origin(url) != parse_origin(self.endpoint):
            raise HubUntrustedError(f"{url} has nothing to do with {self.endpoint}")
        if is_unencrypted(url) and not is_unencrypted(self.endpoint):
            raise HubUntrustedError(f"{self.endpoint} redirects to {format_host(url)} without encryption; not followed")
        if parse_origin(url) != parse_origin(self.endpoint) and "authorization" in request.headers:
            del request.headers["authorization"]

    def check_response(self, response: Any) -> None:
        """Refuse a response that leads to another host, asks for a long wait, or names an invalid version of a file.

        Raises:
            HubError: The response must not be used.
        """
        url = str(response.request.url)
        self._check_server_error(response)
        if parse_origin(url) != parse_origin(self.endpoint):
            return
        self._check_storage(response.headers)
        path = urlsplit(url).path
        if 300 <= response.status_code < 400 and not is_file_path(path):
            self._check_redirect(urljoin(url, response.headers.get("location", "")))
        elif response.status_code < 400 and is_file_path(path) and response.request.method == "HEAD":
            _check_version(response.headers, path)

    def _count_attempt(self, request: Any) -> None:
        """Stop the client's own retries, which can take minutes, after as many as zoo makes."""
        if "range" in request.headers:  # continues a download, so it is not a retry
            return
        current = request.method, str(request.url)
        self.attempts = self.attempts + 1 if current == self.last_request else 1
        self.last_request = current
        if self.attempts > MAX_ATTEMPTS:
            raise HubUnreachableError(
                f"{self.endpoint} gave no whole answer, also when the request was repeated; try again later"
            )

    def _check_server_error(self, response: Any) -> None:
        status = response.status_code
        wait = parse_retry_after(response.headers) or 0.0
        if status in RETRY_STATUSES and wait > MAX_SERVER_DELAY:
            raise HubUnreachableError(f"{self.endpoint} asks to wait {wait:.0f} s; try again then")
        if status in RETRY_STATUSES and self.attempts >= MAX_ATTEMPTS:
            raise HubUnreachableError(
                f"{self.endpoint} answered {status}, also when the request was repeated; try again later"
            )

    def _check_storage(self, headers: Any) -> None:
        """Refuse a storage for large files that is not encrypted, or whose keys come from another host."""
        storage = headers.get("x-xet-cas-url", "https://")
        if is_unencrypted(storage) and not is_loopback(self.endpoint):
            raise HubUntrustedError(f"{self.endpoint} keeps files at {_shorten(storage)}, which is not safe; not used")
        routes = [url for url, kind in LINK_PATTERN.findall(headers.get("link", "")) if "xet-auth" in kind]
        for url in [*routes, headers.get("x-xet-refresh-route", self.endpoint)]:
            if parse_origin(url) not in (parse_origin(self.endpoint), parse_origin(self.public_endpoint)):
                raise HubUntrustedError(f"{self.endpoint} requests the token for {format_host(url)}; not sent")

    def _check_redirect(self, target: str) -> None:
        if parse_origin(target) != parse_origin(self.endpoint):
            raise HubUntrustedError(f"{self.endpoint} redirects to another host, {format_host(target)}; not followed")


_PHASES = ("connect", "read", "write", "pool")
_active_guard: ContextVar[HttpGuard | None] = ContextVar("zoo_hub_guard", default=None)


@contextmanager
def guard_requests(session: Any, endpoint: str, public_endpoint: str) -> Iterator[HttpGuard]:
    """Guard the requests that this thread makes through the client's session until the block ends."""
    for kind, hook in (("request", _on_request), ("response", _on_response)):
        if hook not in session.event_hooks[kind]:
            session.event_hooks[kind].append(hook)
    guard = HttpGuard(endpoint=endpoint, public_endpoint=public_endpoint, timeout=_read_timeout())
    token = _active_guard.set(guard)
    try:
        yield guard
    finally:
        _active_guard.reset(token)


def _on_request(request: Any) -> None:
    guard = _active_guard.get()
    if guard:
        guard.check_request(request)


def _on_response(response: Any) -> None:
    guard = _active_guard.get()
    if guard:
        guard.check_response(response)


def _read_timeout() -> float:
    try:
        return max(float(os.environ.get("ZOO_HUB_TIMEOUT", TIMEOUT)), 0.01)
    except ValueError:
        return TIMEOUT


def _check_version(headers: Any, path: str) -> None:
    """Refuse a version of a file that is not a hash: the client makes file names from it."""
    commit = headers.get("x-repo-commit")
    requested = path.partition(RESOLVE_PATH)[2].partition("/")[0]
    if commit is not None and (not is_commit(commit) or (is_commit(requested) and commit != requested)):
        raise HubUntrustedError(f"requested commit {requested}, the Hub answers with {_shorten(commit)}; not used")
    tag = headers.get("x-linked-etag") or headers.get("etag")
    if tag is not None and not ETAG_PATTERN.fullmatch(tag.removeprefix("W/").strip('"')):
        raise HubUntrustedError(f"the Hub names a file's version {_shorten(tag)}, which is not a hash; not used")


def _shorten(text: str) -> str:
    return repr(text[:80])


def parse_origin(url: str) -> tuple[str, str, int]:
    """Return the scheme, host and port that a token belongs to; empty values for an invalid URL."""
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0


def format_host(url: str) -> str:
    """Return the host of a URL, quoted for a message."""
    return _shorten(parse_origin(url)[1])


def is_file_path(path: str) -> bool:
    """Return whether a path is that of a file's bytes."""
    before, separator, _ = path.partition(RESOLVE_PATH)
    return bool(separator) and "/api/" not in before


def is_unencrypted(url: str) -> bool:
    """Return whether a URL is neither https nor on this machine."""
    return parse_origin(url)[0] != "https" and not is_loopback(url)


def is_loopback(url: str) -> bool:
    """Return whether a URL is http or https, and on this machine."""
    scheme, host, _ = parse_origin(url)
    return scheme in DEFAULT_PORTS and _is_local_host(host)


def _is_local_host(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
