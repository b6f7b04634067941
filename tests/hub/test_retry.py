"""Test what is retried, how often, and how long zoo waits in between."""

import time
from types import SimpleNamespace

import pytest

from zoo.errors import HubUntrustedError
from zoo.hub import retry
from zoo.hub.retry import call_with_retries, get_retry_after, is_transient, parse_retry_after


class Status(Exception):
    def __init__(self, code, **headers):
        super().__init__(code)
        self.response = SimpleNamespace(status_code=code, headers={k.replace("_", "-"): v for k, v in headers.items()})


SHORT = OSError("Consistency check failed: file should be of size 9 but has size 3")
PASSING = (Status(503), Status(429), ConnectionResetError(), TimeoutError(), SHORT)
LASTING = (Status(404), Status(403), Status(412), ValueError(), KeyError(), HubUntrustedError(""))


class Calls:
    """Fail a number of times, then answer."""

    def __init__(self, *errors):
        self.errors, self.count = [*errors], 0

    def __call__(self):
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Record the waits instead of waiting."""
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


@pytest.mark.parametrize("error", PASSING)
def test_a_transient_error_is_retried(error, patient):
    calls = Calls(error, error)
    assert call_with_retries(calls) == "answer"
    assert patient == [0.3, 1.0]


@pytest.mark.parametrize("error", LASTING)
def test_what_cannot_is_not(error, patient):
    calls = Calls(error)
    with pytest.raises(type(error)):
        call_with_retries(calls)
    assert (calls.count, patient) == (1, [])


def test_after_four_tries_it_is_enough(patient):
    calls = Calls(*[Status(500)] * 9)
    with pytest.raises(Status):
        call_with_retries(calls)
    assert (calls.count, patient) == (4, list(retry.RETRY_DELAYS))


def test_after_long_tries_two_are_enough(monkeypatch):
    clock = iter(range(0, 1000, 30))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    calls = Calls(*[TimeoutError()] * 9)
    with pytest.raises(TimeoutError):
        call_with_retries(calls)
    assert calls.count == 2


def test_a_hub_that_asks_for_patience_gets_it(patient):
    assert call_with_retries(Calls(Status(429, retry_after="4"))) == "answer"
    assert patient == [4.0]


def test_but_not_without_end(patient):
    with pytest.raises(Status):
        call_with_retries(Calls(Status(429, retry_after="400")))
    assert patient == []


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "9" * 400}, 999999999.0),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
        ({"ratelimit": '"api";r=3;t=55'}, None),
        ({"ratelimit": "nonsense"}, None),
    ],
)
def test_waits_are_read_from_headers(headers, wait):
    assert parse_retry_after(headers) == wait


def test_causes_are_looked_into():
    error = RuntimeError("upload")
    error.__cause__ = Status(503, retry_after="2")
    assert is_transient(error)
    assert get_retry_after(error) == 2.0
