"""Test pulling: the cache, several processes, an unreachable Hub, another endpoint."""

import shutil

import pytest
from huggingface_hub import constants

from tests.hub import artifact
from tests.hub.conftest import TOKEN, USERS
from tests.hub.served import head
from tests.hub_server import serve
from zoo.errors import HubError, HubUnreachableError, UnknownNameError
from zoo.hub import pull
from zoo.saving.folder import FILES

REF = "hf:ann/model"


def lies_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_pull_requests_the_commit_the_sizes_and_each_file_once(planted):
    pulled = pull(REF)
    assert (pulled.source, pulled.commit) == ("hub", head(planted))
    assert planted.requests.kinds[:2] == ["info", "paths-info"]
    assert len(planted.requests.of("resolve-head")) == len(FILES)
    assert len(planted.requests.of("resolve-get", "cdn")) == len(FILES)


def test_a_cached_branch_requests_its_commit_only(planted):
    pull(REF)
    planted.requests.clear()
    assert pull(REF).source == "cache"
    assert planted.requests.kinds == ["info"]


def test_a_cached_commit_makes_no_request(planted):
    commit = pull(REF).commit
    planted.requests.clear()
    assert pull(f"{REF}@{commit}").source == "cache"
    assert len(planted.requests) == 0


def test_only_the_model_is_in_the_cache(planted, tmp_path):
    pulled = pull(REF)
    assert lies_in(pulled.folder) == artifact.files(1)
    assert {path.name for path in pulled.folder.parent.iterdir()} == {pulled.commit, "refs"}
    assert pulled.folder.is_relative_to(tmp_path / "cache")


def test_the_cache_is_beside_the_clients_own_by_default(planted, monkeypatch, tmp_path):
    monkeypatch.delenv("ZOO_CACHE")
    assert pull(REF).folder.is_relative_to(tmp_path / "home" / "assets" / "zoo-models")
    assert not (tmp_path / "home" / "hub").exists()


def test_processes_that_pull_at_once_share_one_download(planted, press, tmp_path):
    env = {"HF_ENDPOINT": planted.url, "HF_TOKEN": TOKEN, "ZOO_CACHE": str(tmp_path / "shared")}
    planted.faults.add("resolve-get", delay=0.3)
    jobs = [press.start("pull", env=env, reference=REF) for _ in range(6)]
    results = [job.result() for job in jobs]
    print("6 processes:", [result["source"] for result in results])
    assert sorted(result["source"] for result in results) == ["cache"] * 5 + ["hub"]
    assert len(planted.requests.of("resolve-get", "cdn")) == len(FILES)
    assert {result["folder"] for result in results} == {
        str(jobs[0].cache / f"@{quoted(planted)}/ann--model" / head(planted))
    }


def quoted(hub) -> str:
    return hub.url.replace(":", "%3A").replace("/", "%2F")


def test_a_puller_that_is_killed_leaves_nothing_in_the_way(planted, press, tmp_path):
    env = {"HF_ENDPOINT": planted.url, "HF_TOKEN": TOKEN, "ZOO_CACHE": str(tmp_path / "shared")}
    planted.faults.add("cdn", delay=0.5)
    job = press.start("pull", env=env, reference=REF)
    while "cdn" not in planted.requests.kinds:
        pass
    job.kill()
    result = press.start("pull", env=env, reference=REF).result()
    shelf = job.cache / f"@{quoted(planted)}" / "ann--model"
    assert result["source"] == "hub"
    assert {path.name for path in shelf.iterdir() if not path.name.endswith(".lock")} == {result["commit"], "refs"}


def test_an_unreachable_hub_is_a_warning_with_a_copy(planted, impatient):
    first = pull(REF)
    planted.close()
    with pytest.warns(
        UserWarning, match=f"cannot be reached.*as it was when last pulled, commit {first.commit}"
    ) as told:
        again = pull(REF)
    assert (again.folder, again.source) == (first.folder, "cache")
    assert told[0].filename == __file__


def test_an_update_uses_the_commit_the_hub_names_now_or_fails(planted, impatient, monkeypatch):
    pull(REF)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubUnreachableError, match="cannot find hf:ann/model: zoo is offline"):
        pull(REF, update=True)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    planted.close()
    with pytest.raises(HubUnreachableError, match="cannot be reached"):
        pull(REF, update=True)


def test_an_unreachable_hub_is_an_error_without_a_copy(planted, impatient):
    planted.close()
    with pytest.raises(HubUnreachableError, match="cannot be reached; check the connection"):
        pull(REF)


def test_a_deleted_repository_is_an_error_also_with_a_copy(planted):
    pull(REF)
    planted.store.delete(planted.store.repo("ann/model"))
    with pytest.raises(HubError, match="there is no ann/model"):
        pull(REF)


def test_two_endpoints_never_mix(planted, monkeypatch, tmp_path):
    ours = pull(REF)
    with serve(tokens=USERS) as other:
        other.store.plant(other.store.create("ann/model"), artifact.files(2))
        monkeypatch.setenv("HF_ENDPOINT", other.url)
        theirs = pull(REF)
        assert lies_in(theirs.folder) == artifact.files(2)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert pull(REF).folder == theirs.folder
    monkeypatch.setenv("HF_ENDPOINT", planted.url)
    assert pull(REF).folder == ours.folder


def test_a_damaged_note_is_ignored(planted, monkeypatch):
    note = pull(REF).folder.parent / "refs" / "main"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for text in ("", "null", "a" * 40, '{"commit": "../../x"}', note.read_text().replace("ann/model", "bob/model")):
        note.write_text(text)
        with pytest.raises(HubUnreachableError, match="not in the cache"):
            pull(REF)


def test_a_cache_that_cannot_be_written_is_an_error(planted, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(HubError, match=r"cannot keep hf:ann/model in .*; set ZOO_CACHE"):
        pull(REF)


def test_the_clients_own_cache_is_not_used(planted, tmp_path):
    from huggingface_hub import hf_hub_download

    path = hf_hub_download("ann/model", "config.json", endpoint=planted.url)
    with open(path, "w") as file:
        file.write("damaged")
    assert path.startswith(constants.HF_HUB_CACHE)
    assert lies_in(pull(REF).folder) == artifact.files(1)


def test_a_model_can_be_removed_from_the_cache_by_hand(planted):
    shutil.rmtree(pull(REF).folder)
    assert pull(REF).source == "hub"


def test_nothing_is_printed_outside_a_terminal(planted, capfd):
    pull(REF)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "text", ["hf:model", "hf:", "hf:a/b/c", "hf:a/b@", "hf:../b", "hf:a/..", "hf:a/b@-x", "hf:a/b@a b"]
)
def test_an_invalid_reference_is_an_error_before_any_request(hub, text):
    with pytest.raises(UnknownNameError):
        pull(text)
    assert len(hub.requests) == 0
