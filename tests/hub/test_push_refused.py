"""Test pushes that are refused, and that nothing is sent then."""

import pytest

from tests.hub import artifact
from tests.hub.served import kept
from tests.hub.test_push import WRITES
from zoo.errors import HubConflictError, HubError, HubNotFoundError, UnknownNameError, WeightsError
from zoo.hub import push
from zoo.saving.folder import CARD, CONFIG, FILES, HISTORY, WEIGHTS


def test_a_taken_tag_is_an_error_before_anything_is_sent(published, folder, newer):
    push(folder, "ann/model", tag="v1")
    published.requests.clear()
    with pytest.raises(HubConflictError, match=r"ann/model has a tag v1 already, commit [0-9a-f]{40}; choose another"):
        push(newer, "ann/model", tag="v1")
    assert not WRITES & {*published.requests.kinds}


def test_the_same_push_with_the_same_tag_is_fine(hub, folder):
    first, second = push(folder, "ann/model", tag="v1"), push(folder, "ann/model", tag="v1")
    assert (second.commit, second.is_new_commit) == (first.commit, False)


def test_a_tag_is_not_a_branch_too(published, newer):
    push(newer, "ann/model", branch="dev")
    with pytest.raises(HubConflictError, match="dev is a branch"):
        push(newer, "ann/model", tag="dev")
    push(newer, "ann/model", tag="v1")
    with pytest.raises(HubConflictError, match="v1 is a tag"):
        push(newer, "ann/model", branch="v1")


def test_a_pull_request_needs_a_repository(hub, folder):
    with pytest.raises(HubNotFoundError, match="no ann/model to open a pull request in"):
        push(folder, "ann/model", pull_request=True)


def test_a_pull_request_has_no_tag(hub, folder):
    with pytest.raises(HubError, match="cannot be tagged before it is merged"):
        push(folder, "ann/model", pull_request=True, tag="v1")


def test_without_a_licence_nothing_is_published(hub, tmp_path):
    folder = artifact.saved(tmp_path / "unlicensed", license="")
    with pytest.raises(HubError, match="has no licence, so nobody may use it; save it again with license="):
        push(folder, "ann/model")
    assert len(hub.requests) == 0


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, HISTORY])
def test_a_damaged_folder_is_not_published(hub, folder, name):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(WeightsError, match=name):
        push(folder, "ann/model")
    assert len(hub.requests) == 0


def test_a_folder_without_a_card_is_published(hub, folder):
    (folder / CARD).unlink()
    push(folder, "ann/model")
    assert {*kept(hub)} == {*FILES} - {CARD}


@pytest.mark.parametrize("repo", ["model", "a/b/c", "../b", "hf:model", "a/b c", "", "a/b\n"])
def test_an_invalid_repository_name_is_an_error(hub, folder, repo):
    with pytest.raises(UnknownNameError, match="hf:owner/name"):
        push(folder, repo)


@pytest.mark.parametrize("name", ["-x", "a b", "a..b", "/a", "a/", "x.lock", "ü", ""])
def test_an_invalid_tag_or_branch_name_is_an_error(hub, folder, name):
    with pytest.raises(UnknownNameError):
        push(folder, "ann/model", tag=name)
    if name:
        with pytest.raises(UnknownNameError):
            push(folder, "ann/model", branch=name)


def test_a_revision_belongs_in_its_own_argument(hub, folder):
    with pytest.raises(HubError, match=r"push\('ann/model', branch=...\)"):
        push(folder, "hf:ann/model@dev")
