"""Test that no error, log or output repeats the token (line 26)."""

import logging
import traceback
from collections.abc import Iterator

import pytest

from tests.hub.conftest import TOKEN
from tests.hub.test_other_hosts import READS, WRITES
from zoo.errors import HubError
from zoo.hub import HubClient, pull, push


def texts(error: BaseException | None) -> Iterator[str]:
    """Yield the texts of an error and of the errors it was raised from."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        yield "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        error = error.__cause__ or error.__context__


BACKED_OFF = ("preupload", "lfs-batch", "lfs-verify")
"""Faults on which the client itself waits before it retries."""
ECHO = f"you sent Bearer {TOKEN}, which is wrong"


@pytest.mark.reliability
def test_no_error_repeats_the_token(planted, impatient, folder, caplog, capfd):
    logging.getLogger("huggingface_hub").addHandler(caplog.handler)
    caplog.set_level(logging.DEBUG, logger="huggingface_hub")
    scanned, leaks = 0, []
    kinds = ("info", "paths-info", "resolve-head", "resolve-get", "cdn", *READS[2:], *WRITES)
    for kind in kinds:
        for status in (400, 401, 403, 404, 409, 412, 416, 422, 451, 500):
            if status == 500 and kind in BACKED_OFF:
                continue
            planted.faults.add(kind, status=status, message=ECHO, times=None)
            try:
                pull("hf:ann/model") if kind in kinds[:5] else push(folder, f"ann/m{scanned}", tag="v1")
            except HubError as error:
                leaks += [(kind, status, text) for text in texts(error) if TOKEN in text]
                scanned += 1
            planted.faults.clear()
    logging.getLogger("huggingface_hub").removeHandler(caplog.handler)
    out, err = capfd.readouterr()
    leaks += [("log", 0, record.getMessage()) for record in caplog.records if TOKEN in record.getMessage()]
    leaks += [("output", 0, text) for text in (out, err) if TOKEN in text]
    print(f"line 26: {scanned} errors, {len(caplog.records)} lines of log: {len(leaks)} hold the token")
    assert leaks == []
    assert scanned > 100


def test_a_client_shows_no_token(hub):
    assert TOKEN not in repr(HubClient.from_environment())
    assert TOKEN not in repr(vars(HubClient.from_environment()))


def test_a_token_that_no_header_can_hold_is_not_repeated(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_Ünsendable\x01token")
    with pytest.raises(HubError) as caught:
        pull("hf:ann/model")
    assert not [text for text in texts(caught.value) if "nsendable" in text]
