"""Line 26: what a server answers makes no file names, leads to no other host with the token, and is not repeated."""

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import artifact
from tests.hub.conftest import TOKEN
from tests.hub_server import Server, User, serve
from zoo.errors import HubError, HubUnreachableError, HubUntrustedError
from zoo.folder import WEIGHTS
from zoo.hub import Client, pull, push

ESCAPES = ("../../../../x", "/tmp/x", "..", "a/b", "..\\..\\x", "", "C:\\x", "x" * 300, "main")
HEADERS = ("ETag", "X-Linked-Etag", "X-Repo-Commit")


@pytest.fixture
def planted(hub) -> Server:
    hub.store.plant(hub.store.create("ann/model"), artifact.files(1))
    return hub


@pytest.fixture
def other() -> Iterator[Server]:
    """Serve somebody else, who takes any token."""
    with serve(tokens={TOKEN: User("eve")}) as server:
        server.store.plant(server.store.create("ann/model"), artifact.files(2))
        yield server


def outside(tmp_path: Path) -> set[str]:
    return {str(path) for path in tmp_path.rglob("*") if "cache" not in path.relative_to(tmp_path).parts}


@pytest.mark.reliability
def test_headers_make_no_file_names(planted, tmp_path):
    before, refused, cells = outside(tmp_path), 0, 0
    for header in HEADERS:
        for text in ESCAPES:
            cells += 1
            value = text if header == "X-Repo-Commit" else f'"{text}"'
            planted.faults.add("resolve-head", headers={header: value}, times=None)
            try:
                pull("hf:ann/model")
            except HubUntrustedError:
                refused += 1
            planted.faults.clear()
    kept = [*(tmp_path / "cache").glob("*/*/[0-9a-f]*")]
    written = outside(tmp_path) - before
    print(f"line 26: {refused} of {cells} hostile headers refused, {len(written)} files written outside the cache")
    assert (refused, kept, written) == (cells, [], set())


@pytest.mark.parametrize("header", ["ETag", "X-Repo-Commit"])
def test_a_header_that_is_missing_is_told(planted, header):
    planted.faults.add("resolve-head", headers={header: None}, path="*.json", times=None)
    with pytest.raises(HubError):
        pull("hf:ann/model")


def test_a_commit_that_is_none_is_refused(planted):
    described = json.dumps({"id": "ann/model", "sha": "../../../../x", "siblings": []}).encode()
    planted.faults.add("info", body=described)
    with pytest.raises(HubUntrustedError, match=r"is commit '\.\./.*x', which is none"):
        pull("hf:ann/model")


def test_the_commit_of_another_version_is_refused(planted):
    planted.faults.add("resolve-head", headers={"X-Repo-Commit": "a" * 40})
    with pytest.raises(HubUntrustedError, match="the Hub answers with 'aaaa"):
        pull("hf:ann/model")


def test_a_file_that_never_ends_is_stopped(planted, tmp_path):
    planted.faults.add("resolve-get", path="*/config.json", body=b" " * (32 << 20), times=None)
    with pytest.raises(HubUntrustedError, match=r"config.json goes on after the \d+ bytes that the Hub told; stopped"):
        pull("hf:ann/model")
    assert not [*(tmp_path / "cache").rglob("config.json")]


READS = ("info", "paths-info", "whoami", "refs")
WRITES = ("create", "preupload", "commit", "validate-yaml", "lfs-batch", "lfs-verify", "tag")


@pytest.mark.reliability
def test_no_question_is_asked_of_another_host(planted, other, monkeypatch, tmp_path):
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
    with pytest.raises(HubUntrustedError, match=r"sends zoo on to .*'hub.example'.*; not followed"):
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
    assert Client.here().endpoint == "http://hub.example"


def texts(error: BaseException | None) -> Iterator[str]:
    """Yield all that an error says, and what it was raised from."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        yield "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        error = error.__cause__ or error.__context__


BACKED_OFF = ("preupload", "lfs-batch", "lfs-verify")
"""Where the client waits by itself before it asks again."""
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
    assert TOKEN not in repr(Client.here())
    assert TOKEN not in repr(vars(Client.here()))


def test_a_token_that_no_header_can_hold_is_not_repeated(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_Ünsendable\x01token")
    with pytest.raises(HubError) as caught:
        pull("hf:ann/model")
    assert not [text for text in texts(caught.value) if "nsendable" in text]


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
    assert 1.0 <= second.time - first.time < 3.0
