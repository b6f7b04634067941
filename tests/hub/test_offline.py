"""Test that a cached model is loaded again without a network, and without opening a socket (line 29)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub import artifact
from tests.hub.conftest import CLIENT
from tests.hub.served import head
from zoo.hub import lockfile, pull

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, socket, sys
opened = []
def refuse(*args, **how):
    opened.append(repr(args[1:]))
    raise OSError("no network here")
class Socket(socket.socket):
    def __init__(self, *args, **how):
        opened.append(repr(args))
        super().__init__(*args, **how)
    connect = connect_ex = refuse
socket.socket = socket.SocketType = Socket
socket.create_connection = socket.getaddrinfo = refuse

from zoo.hub import pull
told = {}
for reference in json.loads(sys.argv[1]):
    try:
        found = pull(reference)
        told[reference] = [found.source, found.commit, str(found.folder)]
    except Exception as error:
        told[reference] = [type(error).__name__, str(error)]
print(json.dumps({"told": told, "opened": opened, "torch": "torch" in sys.modules}))
"""


@pytest.fixture
def planted(hub):
    repo = hub.store.create("ann/model")
    repo.move("refs/tags/v1", hub.store.plant(repo, artifact.files(1)).oid)
    hub.store.plant(repo, artifact.files(2))
    return hub


def offline(references: list[str]) -> dict:
    env = {**os.environ, **CLIENT, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", SCRIPT, json.dumps(references)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.reliability
def test_cached_models_need_no_socket(planted):
    cached = ["hf:ann/model", "hf:ann/model@v1", f"hf:ann/model@{head(planted, at='v1')}"]
    for reference in cached:
        pull(reference)
    lockfile.write_pin(lockfile.get_path(), pull("hf:ann/model@v1"))
    missing = ["hf:ann/model@v2", "hf:ann/other", f"hf:ann/model@{'a' * 40}"]
    planted.requests.clear()
    seen = offline(cached + missing)
    works = [reference for reference in cached if seen["told"][reference][0] == "cache"]
    told = [seen["told"][reference] for reference in missing]
    print(f"line 29: {len(works)} of {len(cached)} cached models load offline, {len(seen['opened'])} sockets opened")
    assert works == cached
    assert seen["opened"] == []
    assert not seen["torch"]
    assert len(planted.requests) == 0
    assert {kind for kind, _ in told} == {"HubUnreachableError"}
    assert all("unset HF_HUB_OFFLINE, or run online: zoo pull" in text for _, text in told)


@pytest.mark.reliability
def test_a_partial_folder_is_reported_offline(planted):
    pulled = pull("hf:ann/model")
    (pulled.folder / "history.jsonl").unlink()
    kind, text = offline(["hf:ann/model"])["told"]["hf:ann/model"]
    assert kind == "HubUnreachableError"
    assert "history.jsonl" in text


def test_pushing_offline_is_an_error(planted, folder, monkeypatch):
    from zoo.errors import HubUnreachableError
    from zoo.hub import push

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    planted.requests.clear()
    with pytest.raises(HubUnreachableError, match="zoo is offline; unset HF_HUB_OFFLINE"):
        push(folder, "ann/model")
    assert len(planted.requests) == 0
