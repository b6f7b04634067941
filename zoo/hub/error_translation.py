"""What went wrong, in zoo's words: the client's errors become the tree in `zoo.errors`."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote

from zoo.errors import (
    HubAccessError,
    HubConflictError,
    HubError,
    HubNotFoundError,
    HubUnreachableError,
    HubUntrustedError,
)
from zoo.hub.retry import asked_wait, chain, is_broken, kinds_of, status_of

LOGIN = "set HF_TOKEN or run: hf auth login"
HIDDEN = "hf_***"
LONGEST = 200
"""Most letters of what somebody else says that an error repeats."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What did not work (`cannot find hf:owner/name`), on which repository of which endpoint, and with which token."""

    asked: str
    repo: str
    endpoint: str
    token: str | None = field(repr=False)

    def hidden(self, text: str) -> str:
        """Return a text without the token."""
        forms = {self.token, quote(self.token, safe=""), b64encode(self.token.encode()).decode()} if self.token else ()
        for form in forms:
            text = text.replace(form, HIDDEN)
        return text

    def repeated(self, text: str) -> str:
        """Return what somebody else said: one line, printable, not long, without the token."""
        line = "".join(letter if letter.isprintable() else " " for letter in self.hidden(text))
        return " ".join(line.split())[:LONGEST]


def translated(error: BaseException, question: Question) -> HubError:
    """Return the error to raise in place of one that the client raised."""
    found = next((each for each in chain(error) if isinstance(each, HubError)), None)
    failure = found or _missing(error, question) or _refused(error, question) or _unanswered(error, question)
    told = str(failure) if str(failure).startswith("cannot ") else f"{question.asked}: {failure}"
    return type(failure)(question.hidden(told))


def _missing(error: BaseException, question: Question) -> HubError | None:
    kinds, repo = kinds_of(error), question.repo
    if "GatedRepoError" in kinds:
        return None
    if "RevisionNotFoundError" in kinds:
        return HubNotFoundError(f"{repo} has no such branch, tag or commit{_said(error, question)}")
    if "RemoteEntryNotFoundError" in kinds:
        return HubNotFoundError(f"{repo} has no such file at that commit")
    if "RepositoryNotFoundError" in kinds or status_of(error) == 404:
        advice = "check the token's rights" if question.token else f"if it is private, {LOGIN}"
        there = f"there is no {repo} on {question.endpoint}, or this token may not see it"
        return HubNotFoundError(f"{there}; check the name, or {advice}")
    return None


def _refused(error: BaseException, question: Question) -> HubError | None:
    kinds, status, said = kinds_of(error), status_of(error), _said(error, question)
    endpoint, token = question.endpoint, question.token
    if "GatedRepoError" in kinds:
        advice = f"ask for access at {endpoint}/{question.repo}" + ("" if token else f", and {LOGIN}")
        return HubAccessError(f"{question.repo} is gated, and this token has no access; {advice}")
    if (status in (401, 403) and not token) or "LocalTokenNotFoundError" in kinds:
        return HubAccessError(f"{endpoint} wants a token, and there is none; {LOGIN}")
    if status == 401:
        return HubAccessError(f"{endpoint} does not know this token{said}; {LOGIN}")
    if status == 403:
        return HubAccessError(f"this token may not do that{said}; use one with that right: {LOGIN}")
    if status in (409, 412):
        return HubConflictError(f"{endpoint} refuses it, since something else is there already{said}")
    if status is not None and 400 <= status < 500 and status not in (408, 429):
        return HubError(f"{endpoint} refuses it with status {status}{said}")
    return None


def _unanswered(error: BaseException, question: Question) -> HubError:
    kinds, status, endpoint = kinds_of(error), status_of(error), question.endpoint
    wait = asked_wait(error)
    if "OfflineModeIsEnabled" in kinds:
        return HubUnreachableError(f"zoo is offline; unset HF_HUB_OFFLINE to reach {endpoint}")
    if status is not None and wait is not None:
        return HubUnreachableError(f"{endpoint} asks to wait {wait:.0f} s; try again then")
    if status is not None:
        return HubUnreachableError(f"{endpoint} answered {status}, also when asked again; try again later")
    if is_broken(error):
        return HubUnreachableError(f"{endpoint} {_broken(kinds)}; check the connection and try again")
    if isinstance(error, OSError) and error.errno and error.strerror:
        return HubError(f"it cannot be written: {error.strerror}; make room, or set ZOO_CACHE to another folder")
    if kinds & {"RecursionError", "HFValidationError"}:
        return HubUntrustedError(f"{endpoint} gave an answer that is not safe to read")
    why = question.repeated(str(error.__cause__ or error) or type(error).__name__)
    return HubUnreachableError(f"{endpoint} gave an answer that cannot be read ({why})")


def _broken(kinds: set[str]) -> str:
    if kinds & {"TimeoutException", "TimeoutError"}:
        return "gave no answer in time"
    if kinds & {"ConnectError", "ConnectionRefusedError"}:
        return "cannot be reached"
    return "broke off its answer, also when asked again"


def _said(error: BaseException, question: Question) -> str:
    """Return what the server said, as a part of a sentence."""
    words = next((told for each in chain(error) if (told := getattr(each, "server_message", None))), "")
    line = question.repeated(str(words))
    return f" ({line})" if line else ""
