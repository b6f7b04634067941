"""What goes in and out of a route: values only, no sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .access import User
from .refusal import Refusal, bad_request
from .store import Store


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a server is: what it keeps, and its sizes."""

    store: Store
    lfs_over: int  # bytes; a larger file is LFS whatever its name
    part_size: int  # bytes; a larger LFS file is uploaded in parts
    page_size: int  # entries of a listing


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, read as a whole."""

    setting: Setting
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    url: str  # this server as the client called it
    cdn_url: str  # the same server under its other name
    user: User | None = None

    @property
    def store(self) -> Store:
        return self.setting.store

    def asks(self, name: str) -> bool:
        """Say whether a query parameter is set to something true."""
        return self.query.get(name, ["false"])[0].lower() in ("1", "true")

    def json(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body or b"{}")
        except ValueError as error:
            raise bad_request(f"the body is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise bad_request("the body is no JSON object")
        return found


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; a HEAD is sent the same one without its body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def as_json(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps(content).encode()
    return Answer(status=status, headers={"Content-Type": "application/json", **(headers or {})}, body=body)


def refused(refusal: Refusal) -> Answer:
    """Put a refusal in the words the client reads."""
    code = {"X-Error-Code": refusal.code} if refusal.code else {}
    message = refusal.message.encode("ascii", "replace").decode().replace("\n", " ")
    headers = {**code, "X-Error-Message": message, **refusal.headers}
    return as_json({"error": refusal.message, **refusal.more}, status=refusal.status, headers=headers)


def ranged(request: Request, data: bytes, headers: Mapping[str, str]) -> Answer:
    """Answer with bytes, or with the part of them that a Range header asks for."""
    asked = request.headers.get("Range", "")
    headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", **headers}
    if not asked.startswith("bytes="):
        return Answer(headers=headers, body=data)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(len(data) - int(last), 0)
    end = min(int(last) + 1, len(data)) if first and last else len(data)
    if start >= end:
        return Answer(status=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    span = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
    return Answer(status=206, headers={**headers, **span}, body=data[start:end])
