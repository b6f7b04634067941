"""Test that zoo waits briefly for a Hub that requests it, but not forever (line 23)."""

import pytest

from zoo.errors import HubUnreachableError
from zoo.hub import pull, push


def test_a_hub_that_asks_for_long_patience_is_not_waited_for(planted, folder):
    for kind in ("info", "preupload"):
        planted.faults.add(kind, status=429, headers={"Retry-After": "3600"}, times=None)
        with pytest.raises(HubUnreachableError, match="asks to wait 3600 s; try again then"):
            pull("hf:ann/model") if kind == "info" else push(folder, "ann/another")
        planted.faults.clear()


def test_a_short_wait_is_kept(planted):
    planted.faults.add("info", status=429, headers={"Retry-After": "1"})
    pull("hf:ann/model")
    first, second, *_ = planted.requests.of("info")
    assert 1.0 <= second.time - first.time < 10.0
