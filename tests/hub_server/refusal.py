"""Define the one exception of this server: an answer with an error status."""

from collections.abc import Mapping


class Refusal(Exception):
    """Stop here and answer this status; the client reads `code` and the message from the headers."""

    def __init__(self, status: int, message: str, *, code: str = "", headers: Mapping[str, str] | None = None, **more):
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.more = more  # further keys of the JSON body


def bad_request(message: str) -> Refusal:
    return Refusal(400, message)


def no_revision(revision: str) -> Refusal:
    return Refusal(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def no_entry(message: str = "Entry not found", *, commit: str = "") -> Refusal:
    return Refusal(404, message, code="EntryNotFound", headers={"X-Repo-Commit": commit} if commit else None)
