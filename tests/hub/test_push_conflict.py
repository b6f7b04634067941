"""Test pushes whose answers are lost, and pushes at the same time as others."""

import json

import pytest

from tests.hub import artifact
from tests.hub.served import count, head, kept
from zoo.errors import HubConflictError, HubUntrustedError
from zoo.hub import push
from zoo.saving.folder import FILES, HISTORY


@pytest.mark.parametrize("how", [{"drop_after": 0}, {"truncate_at": 5}])
@pytest.mark.parametrize("kind", ["create", "branch", "commit", "tag"])
def test_a_lost_answer_does_nothing_twice(hub, folder, kind, how):
    hub.faults.add(kind, **how)
    done = push(folder, "ann/model", branch="dev", tag="v1")
    assert len(hub.faults) == 0
    assert count(hub) == 2
    assert (done.is_new_commit, done.commit) == (True, head(hub, at="v1"))
    assert kept(hub, at="dev") == artifact.files(1)


def test_a_lost_answer_opens_no_second_pull_request(published, newer):
    published.faults.add("commit", drop_after=0)
    done = push(newer, "ann/model", pull_request=True)
    pulls = [name for name in published.store.repo("ann/model").state.refs if name.startswith("refs/pr/")]
    assert pulls == ["refs/pr/1"]
    assert (done.commit, done.url) == (head(published, at="refs/pr/1"), f"{published.url}/ann/model/discussions/1")


def test_the_slower_publisher_gets_an_error_and_overwrites_nothing(published, newer, monkeypatch):
    repo = published.store.repo("ann/model")
    faster = []

    def meanwhile(mine: str, theirs: str) -> str:
        faster.append(published.store.plant(repo, artifact.files(3)).oid)
        return mine

    with pytest.raises(HubConflictError, match="someone else published to hf:ann/model at the same time"):
        push(newer, "ann/model", merge_cards=meanwhile)
    assert [head(published)] == faster


def test_the_slower_publisher_of_the_same_files_has_nothing_to_do(published, newer):
    repo = published.store.repo("ann/model")

    def meanwhile(mine: str, theirs: str) -> str:
        published.store.plant(repo, artifact.files(2))
        return mine

    assert push(newer, "ann/model", merge_cards=meanwhile).commit == head(published)
    assert kept(published) == artifact.files(2)


def test_a_file_that_the_hub_drops_is_an_error(hub, folder):
    advice = [{"path": name, "uploadMode": "regular", "shouldIgnore": name == HISTORY} for name in FILES]
    hub.faults.add("preupload", skip=1, body=json.dumps({"files": advice}).encode())
    with pytest.raises(HubUntrustedError, match=r"does not hold the history.jsonl that was sent; .*gitignore"):
        push(folder, "ann/model")
