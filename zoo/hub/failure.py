"""What went wrong, in zoo's words: the client's errors become the tree in `zoo.errors`."""

from __future__ import annotations

from base64 import b64encode
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


def translated(error: BaseException, *, asked: str, repo: str, endpoint: str, token: str | None) -> HubError:
    """Return the error to raise in place of one that the client raised, without a word of the token in it."""
    found = next((each for each in chain(error) if isinstance(each, HubError)), None)
    failure = found or _failure(error, asked=asked, repo=repo, endpoint=endpoint, token=token)
    return type(failure)(scrubbed(str(failure), token))


def scrubbed(text: str, token: str | None) -> str:
    """Return a text without the token."""
    if not token:
        return text
    forms = (token, quote(token, safe=""), b64encode(token.encode()).decode())
    for form in forms:
        text = text.replace(form, HIDDEN)
    return text


def _failure(error: BaseException, *, asked: str, repo: str, endpoint: str, token: str | None) -> HubError:
    kinds, status = kinds_of(error), status_of(error)
    said = _said(error)
    if "GatedRepoError" in kinds:
        advice = f"ask for access at {endpoint}/{repo}" + ("" if token else f", and {LOGIN}")
        return HubAccessError(f"{asked}: {repo} is gated, and this token has no access; {advice}")
    if "RevisionNotFoundError" in kinds:
        return HubNotFoundError(f"{asked}: {repo} has no such branch, tag or commit{said}")
    if "RemoteEntryNotFoundError" in kinds:
        return HubNotFoundError(f"{asked}: {repo} has no such file at that commit")
    if "RepositoryNotFoundError" in kinds or status == 404:
        advice = "check the name and the token's rights" if token else f"check the name, or if it is private, {LOGIN}"
        return HubNotFoundError(f"{asked}: there is no {repo} on {endpoint}, or this token may not see it; {advice}")
    if status in (401, 403) or "LocalTokenNotFoundError" in kinds:
        return _refused(asked, endpoint, status, said, token)
    if status in (409, 412):
        return HubConflictError(f"{asked}: {endpoint} refuses it, since something else is there already{said}")
    if "RecursionError" in kinds or "HFValidationError" in kinds:
        return HubUntrustedError(f"{asked}: {endpoint} gave an answer that is not safe to read")
    return _other(error, asked=asked, endpoint=endpoint, status=status, said=said)


def _refused(asked: str, endpoint: str, status: int | None, said: str, token: str | None) -> HubError:
    if not token:
        return HubAccessError(f"{asked}: {endpoint} wants a token, and there is none; {LOGIN}")
    if status == 401:
        return HubAccessError(f"{asked}: {endpoint} does not know this token{said}; {LOGIN}")
    return HubAccessError(f"{asked}: this token may not do that{said}; use one with that right: {LOGIN}")


def _other(error: BaseException, *, asked: str, endpoint: str, status: int | None, said: str) -> HubError:
    if "OfflineModeIsEnabled" in kinds_of(error):
        return HubUnreachableError(f"{asked}: zoo is offline; unset HF_HUB_OFFLINE to reach {endpoint}")
    wait = asked_wait(error)
    if wait is not None and status == 429:
        return HubUnreachableError(f"{asked}: {endpoint} asks to wait {wait:.0f} s; try again then")
    if status is not None and 400 <= status < 500 and status not in (408, 429):
        return HubError(f"{asked}: {endpoint} refuses it with status {status}{said}")
    if status is not None:
        return HubUnreachableError(f"{asked}: {endpoint} answered {status}, also when asked again; try again later")
    if is_broken(error):
        return HubUnreachableError(f"{asked}: {endpoint} {_broken(error)}; check the connection and try again")
    if isinstance(error, OSError) and error.errno and error.strerror:
        return HubError(f"{asked}: cannot be written: {error.strerror}; make room, or set ZOO_CACHE to another folder")
    why = _one_line(str(error.__cause__ or error) or type(error).__name__)
    return HubUnreachableError(f"{asked}: {endpoint} gave an answer that cannot be read ({why})")


def _broken(error: BaseException) -> str:
    kinds = kinds_of(error)
    if kinds & {"TimeoutException", "TimeoutError"}:
        return "gave no answer in time"
    if kinds & {"ConnectError", "ConnectionRefusedError"}:
        return "cannot be reached"
    return "broke off its answer, also when asked again"


def _said(error: BaseException) -> str:
    """Return what the server said, as a part of a sentence: one line, printable, not long."""
    words = next((told for each in chain(error) if (told := getattr(each, "server_message", None))), "")
    line = _one_line(str(words))
    return f" ({line})" if line else ""


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
