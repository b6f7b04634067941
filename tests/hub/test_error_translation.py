"""Test what an error says of a failure, and what it hides."""

import errno
from base64 import b64encode
from types import SimpleNamespace

import pytest

from zoo.errors import HubAccessError, HubConflictError, HubError, HubNotFoundError, HubUnreachableError
from zoo.hub.error_translation import RequestContext, translate_error

TOKEN = "hf_Secret/Word+1"
ASKED = RequestContext(problem="cannot find hf:a/b", repo_id="a/b", endpoint="https://hub.example", token=TOKEN)


class Answered(Exception):
    def __init__(self, status, said=""):
        super().__init__(f"{status} for {TOKEN}")
        self.response = SimpleNamespace(status_code=status, headers={})
        self.server_message = said


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, HubError), (401, HubAccessError), (403, HubAccessError), (404, HubNotFoundError), (409, HubConflictError),
     (412, HubConflictError), (413, HubError), (429, HubUnreachableError), (500, HubUnreachableError)],
)  # fmt: skip
def test_a_status_has_its_error(status, kind):
    failure = translate_error(Answered(status), ASKED)
    assert type(failure) is kind
    assert str(failure).startswith("cannot find hf:a/b: ")


@pytest.mark.parametrize("form", [TOKEN, "hf_Secret%2FWord%2B1", b64encode(TOKEN.encode()).decode()])
@pytest.mark.parametrize("before", [0, 100, 190, 199, 300])
def test_no_part_of_the_token_is_repeated(form, before):
    for error in (Answered(400, "x" * before + form), ValueError("x" * before + form)):
        message = str(translate_error(error, ASKED))
        assert not any(form[:length] in message for length in range(5, len(form)))
    assert TOKEN not in repr(ASKED)


def test_what_a_server_says_is_one_line_and_not_long():
    message = str(translate_error(Answered(400, "bad\r\nfield \x1b[31m" + "!" * 999), ASKED))
    assert "(bad field [31m!!!" in message
    assert message.isprintable()
    assert len(message) < 300


def test_a_full_disk_is_not_blamed_on_the_hub():
    failure = translate_error(OSError(errno.ENOSPC, "No space left on device"), ASKED)
    assert str(failure).endswith("No space left on device; free some space, or set ZOO_CACHE to another folder")
