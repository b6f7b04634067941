"""Test that a server cannot redirect zoo to another host, and never gets the token sent there (line 26)."""

import json
from collections.abc import Iterator

import pytest

from tests.hub import artifact
from tests.hub.conftest import TOKEN
from tests.hub_server import Server, User, serve
from zoo.errors import HubError, HubUntrustedError
from zoo.hub import HubClient, pull, push
from zoo.saving.folder import WEIGHTS


@pytest.fixture
def other() -> Iterator[Server]:
    """Serve another Hub that accepts any token."""
    with serve(tokens={TOKEN: User("eve")}) as server:
        server.store.plant(server.store.create("ann/model"), artifact.files(2))
        yield server


READS = ("info", "paths-info", "whoami", "refs")
WRITES = ("create", "preupload", "commit", "validate-yaml", "lfs-batch", "lfs-verify", "tag")


@pytest.mark.reliability
def test_no_request_goes_to_another_host(planted, other, monkeypatch, tmp_path):
    cells, refused = 0, 0
    for kind in READS + WRITES:
        for status in (301, 302, 307, 308):
            cells += 1
            monkeypatch.setenv("ZOO_CACHE", str(tmp_path / f"cache-{cells}"))
            folder = artifact.saved(tmp_path / f"{cells}", seed=cells)
            planted.faults.add(kind, status=status, headers={"Location": f"{other.url}/api/whoami-v2"}, times=None)
            try:
                pull("hf:ann/model") if kind in READS[:2] else push(folder, f"ann/fresh-{cells}", tag="v1")
            except HubError:
                refused += 1
            planted.faults.clear()
    sent = [record for record in other.requests if record.authorization]
    print(f"line 26: {refused} of {cells} redirects of questions refused; {len(sent)} tokens sent to the other host")
    assert (refused, sent) == (cells, [])


@pytest.mark.reliability
def test_files_from_another_host_come_without_the_token(planted, other):
    for kind in ("resolve-head", "resolve-get"):
        planted.faults.add(kind, status=302, headers={"Location": f"{other.url}/ann/model/resolve/main/config.json"})
        try:
            pull("hf:ann/model")
        except HubError as error:
            print(f"{kind}: {error}")
        planted.faults.clear()
    assert len(other.requests) > 0
    assert [record for record in other.requests if record.authorization] == []


@pytest.mark.reliability
def test_uploads_take_no_token_to_another_host(planted, other, folder):
    oid, data = "sha256", artifact.files(1)[WEIGHTS]
    import hashlib

    oid = hashlib.sha256(data).hexdigest()
    place = {"href": f"{other.url}/upload/{oid}?size={len(data)}"}
    verify = {"href": f"{other.url}/ann/model.git/info/lfs/objects/verify"}
    objects = [{"oid": oid, "size": len(data), "actions": {"upload": place, "verify": verify}}]
    planted.faults.add("lfs-batch", body=json.dumps({"transfer": "basic", "objects": objects}).encode(), times=None)
    with pytest.raises(HubError):
        push(folder, "ann/another")
    sent = [record for record in other.requests if record.authorization]
    print(f"line 26: {len(other.requests)} uploads sent to the other host, {len(sent)} tokens with them")
    assert len(other.requests) > 0
    assert sent == []


@pytest.mark.parametrize("kind", ["info", "cdn"])
def test_encryption_is_not_left(planted, kind):
    planted.faults.add(kind, status=307, headers={"Location": "http://hub.example/api/models/ann/model"}, times=None)
    with pytest.raises(HubUntrustedError, match=r"redirects to .*'hub.example'.*; not followed"):
        pull("hf:ann/model")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://hub.example",
        "http://10.0.0.1:8080",
        "ftp://hub.example",
        "hub.example",
        "https://u:p@hub.example",
        "https://[::1",
        "https://x:y",
    ],
)
def test_an_endpoint_that_anybody_could_read_is_refused(monkeypatch, endpoint):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(HubUntrustedError) as caught:
        pull("hf:ann/model")
    assert "u:p" not in str(caught.value)


def test_an_endpoint_can_be_trusted_on_purpose(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example/")
    monkeypatch.setenv("ZOO_HUB_INSECURE", "1")
    assert HubClient.from_environment().endpoint == "http://hub.example"
