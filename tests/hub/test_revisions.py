"""Test that a revision is one commit from the first byte to the last, and that pins last (line 27)."""

import json
import threading
import time
from pathlib import Path

import pytest

from tests.hub import artifact
from tests.hub.served import head
from zoo.errors import HubError, HubNotFoundError, HubUntrustedError
from zoo.hub import lockfile, pull
from zoo.saving.folder import CONFIG, FILES, WEIGHTS

REF = "hf:ann/model"


@pytest.fixture
def planted(hub):
    """Return a Hub with a model in two versions: the tag v1, and main after it."""
    repo = hub.store.create("ann/model")
    repo.move("refs/tags/v1", hub.store.plant(repo, artifact.files(1)).oid)
    hub.store.plant(repo, artifact.files(2))
    repo.move("refs/heads/dev/one", head(hub, at="v1"))
    return hub


def lies_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.reliability
def test_every_kind_of_revision_is_one_commit(planted):
    cases = {"v1": 1, "main": 2, "dev/one": 1, head(planted, at="v1"): 1, head(planted): 2}
    right = 0
    for revision, seed in cases.items():
        pulled = pull(f"{REF}@{revision}")
        right += lies_in(pulled.folder) == artifact.files(seed) and pulled.commit == head(planted, at=revision)
    print(f"line 27: {right} of {len(cases)} kinds of revision pulled as the commit they are")
    assert right == len(cases)


@pytest.mark.parametrize("revision", ["v9", "refs/pr/7", "a" * 40, "0123abc"])
def test_a_missing_revision_is_an_error(planted, revision):
    with pytest.raises(HubNotFoundError, match=revision):
        pull(f"{REF}@{revision}")


@pytest.mark.reliability
@pytest.mark.parametrize("ref", ["refs/tags/v1", "refs/heads/main"])
@pytest.mark.parametrize("kind", ["paths-info", "resolve-head", "resolve-get"])
def test_a_revision_that_moves_during_a_pull_is_not_mixed(planted, ref, kind):
    before = head(planted, at=ref)
    old = 1 if "v1" in ref else 2
    newer = planted.store.plant(planted.store.repo("ann/model"), artifact.files(3), ref="refs/heads/dev/one").oid
    planted.faults.add(kind, delay=0.2)

    def move() -> None:
        while kind not in planted.requests.kinds:
            time.sleep(0.001)
        planted.store.repo("ann/model").move(ref, newer)

    thread = threading.Thread(target=move)
    thread.start()
    pulled = pull(f"{REF}@{ref.rpartition('/')[2]}")
    thread.join()
    assert head(planted, at=ref) == newer
    assert (pulled.commit, lies_in(pulled.folder)) == (before, artifact.files(old))


def test_a_branch_that_moved_is_the_new_commit_at_the_next_pull(planted):
    first = pull(REF)
    planted.store.plant(planted.store.repo("ann/model"), artifact.files(3))
    second = pull(REF)
    assert second.commit != first.commit
    assert lies_in(second.folder) == artifact.files(3)
    assert lies_in(first.folder) == artifact.files(2)


@pytest.mark.reliability
def test_a_pin_holds_while_the_branch_moves(planted):
    first = pull(REF)
    lockfile.write_pin(lockfile.get_path(), first)
    planted.store.plant(planted.store.repo("ann/model"), artifact.files(3))
    planted.requests.clear()
    assert pull(REF).folder == first.folder
    assert len(planted.requests) == 0
    newer = pull(REF, update=True)
    assert lies_in(newer.folder) == artifact.files(3)
    lockfile.write_pin(lockfile.get_path(), newer)
    assert pull(REF).commit == newer.commit
    print("line 27: a pinned branch moved: 1 of 1 stayed, 0 requests; update=True followed it")


@pytest.mark.reliability
@pytest.mark.parametrize("name", ["sha256", "config_sha256"])
def test_bytes_that_are_not_the_pinned_ones_are_refused(planted, name):
    path = lockfile.get_path()
    pulled = pull(REF)
    lockfile.write_pin(path, pulled)
    record = json.loads(path.read_text())
    record["pins"][REF][name] = "0" * 64
    path.write_text(json.dumps(record))
    with pytest.raises(HubUntrustedError) as caught:
        pull(REF)
    told = str(caught.value)
    assert all(word in told for word in ("zoo.lock", REF, "0" * 64, f"zoo pull --update {REF}"))
    assert (WEIGHTS if name == "sha256" else CONFIG) in told


def test_a_pinned_commit_that_is_gone_is_an_error(planted):
    pulled = pull(REF)
    path = lockfile.get_path()
    lockfile.write_pin(path, pulled)
    path.write_text(path.read_text().replace(pulled.commit, "a" * 40))
    with pytest.raises(HubNotFoundError, match=REF):
        pull(REF)


def test_pins_lie_one_a_line_in_order(planted):
    path = lockfile.get_path()
    for reference in (f"{REF}@v1", REF, f"{REF}@dev/one"):
        lockfile.write_pin(path, pull(reference))
    lines = path.read_text().splitlines()
    assert [line.split('"')[1] for line in lines if "commit" in line] == [REF, f"{REF}@dev/one", f"{REF}@v1"]
    assert lockfile.read_pins(path)[f"{REF}@v1"].commit == head(planted, at="v1")


OTHER = {"commit": "b" * 40, "sha256": "c" * 64, "config_sha256": "d" * 64}
BROKEN = {
    "empty": "",
    "no JSON": "commit: abc",
    "a list": "[]",
    "another format": '{"format": 2, "pins": {}}',
    "no pins": '{"format": 1}',
    "pins of a list": '{"format": 1, "pins": []}',
    "an unknown reference": '{"format": 1, "pins": {"model": {}}}',
    "no commit": '{"format": 1, "pins": {"hf:a/b": {"sha256": "x", "config_sha256": "y"}}}',
    "a branch for a commit": '{"format": 1, "pins": {"hf:a/b": {"commit": "main", "sha256": "", "config_sha256": ""}}}',
    "another commit": json.dumps({"format": 1, "pins": {f"hf:a/b@{'a' * 40}": OTHER}}),
    "a key twice": '{"format": 1, "pins": {}, "pins": {}}',
    "deep": '{"format": 1, "pins": ' + "[" * 100_000,
    "half a merge": '<<<<<<< HEAD\n{"format": 1, "pins": {}}\n=======\n',
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_lock_file_is_an_error_and_left_unchanged(planted, what, monkeypatch):
    path = lockfile.get_path()
    pulled = pull(REF)
    path.write_text(BROKEN[what])
    for act in (lambda: pull(REF), lambda: lockfile.write_pin(path, pulled), lambda: lockfile.read_pins(path)):
        with pytest.raises(HubError, match=r"zoo.lock is not a lock file of zoo: .*; repair it, or remove it"):
            act()
    assert path.read_text() == BROKEN[what]
    assert pull(REF, update=True).folder == pulled.folder


def test_the_lock_file_can_lie_elsewhere(planted, monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_LOCK", str(tmp_path / "other.lock"))
    lockfile.write_pin(lockfile.get_path(), pull(REF))
    assert [*lockfile.read_pins(tmp_path / "other.lock")] == [REF]
    assert {path.name for path in tmp_path.iterdir()} >= {"other.lock"}
    assert set(FILES) == {path.name for path in pull(REF).folder.iterdir()}
