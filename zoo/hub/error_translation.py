"""Translate errors of the Hub's client to the errors in `zoo.errors`."""

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
from zoo.hub.retry import get_retry_after, get_status, is_incomplete_answer, iter_causes, list_class_names

LOGIN_HINT = "set HF_TOKEN or run: hf auth login"
TOKEN_MASK = "hf_***"
MAX_QUOTE_LENGTH = 200
"""Most characters of a server's text that an error repeats."""


@dataclass(frozen=True, kw_only=True)
class RequestContext:
    """A request: what failed (`cannot find hf:owner/name`), the repository, the endpoint and the token."""

    problem: str
    repo_id: str
    endpoint: str
    token: str | None = field(repr=False)

    def mask_token(self, text: str) -> str:
        """Replace the token in a text, also where it is encoded."""
        forms = {self.token, quote(self.token, safe=""), b64encode(self.token.encode()).decode()} if self.token else ()
        for form in forms:
            text = text.replace(form, TOKEN_MASK)
        return text

    def quote_server(self, text: str) -> str:
        """Return a server's text as one short printable line without the token."""
        line = "".join(letter if letter.isprintable() else " " for letter in self.mask_token(text))
        return " ".join(line.split())[:MAX_QUOTE_LENGTH]


def translate_error(error: BaseException, context: RequestContext) -> HubError:
    """Return the error of zoo to raise instead of an error of the client."""
    hub_error = next((each for each in iter_causes(error) if isinstance(each, HubError)), None)
    failure = (
        hub_error
        or _not_found_error(error, context)
        or _refusal_error(error, context)
        or _unreachable_error(error, context)
    )
    text = str(failure) if str(failure).startswith("cannot ") else f"{context.problem}: {failure}"
    return type(failure)(context.mask_token(text))


def _not_found_error(error: BaseException, context: RequestContext) -> HubError | None:
    kinds, repo = list_class_names(error), context.repo_id
    if "GatedRepoError" in kinds:
        return None
    if "RevisionNotFoundError" in kinds:
        return HubNotFoundError(f"{repo} has no such branch, tag or commit{_quote_message(error, context)}")
    if "RemoteEntryNotFoundError" in kinds:
        return HubNotFoundError(f"{repo} has no such file at that commit")
    if "RepositoryNotFoundError" in kinds or get_status(error) == 404:
        advice = "check the token's rights" if context.token else f"if it is private, {LOGIN_HINT}"
        reason = f"there is no {repo} on {context.endpoint}, or this token may not see it"
        return HubNotFoundError(f"{reason}; check the name, or {advice}")
    return None


def _refusal_error(error: BaseException, context: RequestContext) -> HubError | None:
    kinds, status, said = list_class_names(error), get_status(error), _quote_message(error, context)
    endpoint, token = context.endpoint, context.token
    if "GatedRepoError" in kinds:
        advice = f"ask for access at {endpoint}/{context.repo_id}" + ("" if token else f", and {LOGIN_HINT}")
        return HubAccessError(f"{context.repo_id} is gated, and this token has no access; {advice}")
    if (status in (401, 403) and not token) or "LocalTokenNotFoundError" in kinds:
        return HubAccessError(f"{endpoint} requires a token, and there is none; {LOGIN_HINT}")
    if status == 401:
        return HubAccessError(f"{endpoint} does not know this token{said}; {LOGIN_HINT}")
    if status == 403:
        return HubAccessError(f"this token does not have the right to do that{said}; use one that has: {LOGIN_HINT}")
    if status in (409, 412):
        return HubConflictError(f"{endpoint} refuses the request, since something else is there already{said}")
    if status is not None and 400 <= status < 500 and status not in (408, 429):
        return HubError(f"{endpoint} refuses the request with status {status}{said}")
    return None


def _unreachable_error(error: BaseException, context: RequestContext) -> HubError:
    kinds, status, endpoint = list_class_names(error), get_status(error), context.endpoint
    wait = get_retry_after(error)
    if "OfflineModeIsEnabled" in kinds:
        return HubUnreachableError(f"zoo is offline; unset HF_HUB_OFFLINE to reach {endpoint}")
    if status is not None and wait is not None:
        return HubUnreachableError(f"{endpoint} asks to wait {wait:.0f} s; try again then")
    if status is not None:
        return HubUnreachableError(f"{endpoint} answered {status}, also when the request was repeated; try again later")
    if is_incomplete_answer(error):
        return HubUnreachableError(f"{endpoint} {_describe_broken_answer(kinds)}; check the connection and try again")
    if isinstance(error, OSError) and error.errno and error.strerror:
        return HubError(
            f"the disk cannot be written: {error.strerror}; free some space, or set ZOO_CACHE to another folder"
        )
    if kinds & {"RecursionError", "HFValidationError"}:
        return HubUntrustedError(f"{endpoint} gave an answer that is not safe to read")
    reason = context.quote_server(str(error.__cause__ or error) or type(error).__name__)
    return HubUnreachableError(f"{endpoint} gave an answer that cannot be read ({reason})")


def _describe_broken_answer(kinds: set[str]) -> str:
    if kinds & {"TimeoutException", "TimeoutError"}:
        return "gave no answer in time"
    if kinds & {"ConnectError", "ConnectionRefusedError"}:
        return "cannot be reached"
    return "broke off its answer, also when the request was repeated"


def _quote_message(error: BaseException, context: RequestContext) -> str:
    """Return the server's message in parentheses, or an empty string."""
    texts = (getattr(each, "server_message", None) for each in iter_causes(error))
    line = context.quote_server(str(next((text for text in texts if text), "")))
    return f" ({line})" if line else ""
