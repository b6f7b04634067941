"""Test pushing: what arrives, what is left alone, what is refused, and what is returned."""

import pytest

from tests.hub import artifact
from tests.hub.served import count, head, kept
from zoo.errors import HubError, HubUntrustedError
from zoo.hub import pull, push
from zoo.saving.folder import CARD, FILES

WRITES = {"create", "branch", "preupload", "lfs-batch", "lfs-put", "lfs-verify", "commit", "tag", "validate-yaml"}


def test_what_was_pushed_is_what_was_saved(hub, folder):
    done = push(folder, "ann/model", tag="v1")
    assert kept(hub) == artifact.files(1)
    assert kept(hub, at="v1") == kept(hub)
    assert (done.is_new_repo, done.is_new_commit, done.is_done) == (True, True, True)
    assert (done.commit, done.branch, done.tag, done.private) == (head(hub), "main", "v1", False)
    assert done.url == f"{hub.url}/ann/model/tree/v1"
    assert [(file.name, file.bytes, file.changed) for file in done.files] == [
        (name, len(artifact.files(1)[name]), True) for name in FILES
    ]


def test_what_was_pushed_is_pulled(hub, folder):
    commit = push(folder, "ann/model").commit
    pulled = pull("hf:ann/model")
    assert {path.name: path.read_bytes() for path in pulled.folder.iterdir()} == artifact.files(1)
    assert pulled.commit == commit


def test_a_push_is_one_commit(published, newer):
    before = count(published)
    push(newer, "ann/model", message="Better")
    assert count(published) == before + 1
    assert kept(published) == artifact.files(2)
    assert published.store.repo("ann/model").at("main").title == "Better"


def test_an_unchanged_push_makes_no_commit(published, folder):
    before = head(published)
    done = push(folder, "ann/model")
    assert (head(published), done.commit, done.is_new_commit) == (before, before, False)
    assert not [file for file in done.files if file.changed]
    assert not WRITES & {*published.requests.kinds}


def test_only_what_changed_is_sent(published, tmp_path):
    folder = artifact.saved(tmp_path / "other", seed=1)
    (folder / CARD).write_text("---\nlicense: mit\n---\nAnother card.\n")
    done = push(folder, "ann/model")
    assert [file.name for file in done.files if file.changed] == [CARD]
    assert not published.requests.of("lfs-batch", "lfs-put")


def test_other_files_are_left_alone(published, newer):
    published.store.plant(published.store.repo("ann/model"), {"notes.md": b"mine", "a/b.bin": b"1"})
    push(newer, "ann/model")
    assert kept(published) == {**artifact.files(2), "notes.md": b"mine", "a/b.bin": b"1"}


def test_cards_are_merged_by_whoever_knows_how(published, newer):
    theirs = b"---\nlicense: mit\n---\nWritten by hand.\n"
    published.store.plant(published.store.repo("ann/model"), {CARD: theirs})
    push(newer, "ann/model", merge_cards=lambda mine, there: mine + there.rpartition("---")[2])
    assert kept(published)[CARD].decode().endswith("Version 2.\n\nWritten by hand.\n")


@pytest.mark.parametrize("card", [b"\xff\xfe", bytes(2 << 20)])
def test_a_card_that_cannot_be_read_is_not_overwritten(published, newer, card):
    published.store.plant(published.store.repo("ann/model"), {CARD: card})
    before = head(published)
    with pytest.raises(HubUntrustedError, match=r"README.md of hf:ann/model is"):
        push(newer, "ann/model")
    assert head(published) == before


def test_a_dry_run_writes_nothing(hub, folder):
    plan = push(folder, "ann/model", tag="v1", private=True, dry_run=True)
    assert not WRITES & {*hub.requests.kinds}
    assert hub.store.find("ann/model") is None
    assert (plan.is_done, plan.is_new_repo, plan.private, plan.commit, plan.tag) == (False, True, True, "", "v1")
    assert plan.url == f"{hub.url}/ann/model"
    assert [file.name for file in plan.files if file.changed] == [*FILES]


def test_a_dry_run_tells_what_would_change(published, folder, newer):
    before = head(published)
    same, other = push(folder, "ann/model", dry_run=True), push(newer, "ann/model", dry_run=True)
    assert (same.is_new_commit, same.commit, same.is_new_repo) == (False, before, False)
    assert (other.is_new_commit, other.commit) == (True, "")
    assert head(published) == before
    assert not WRITES & {*published.requests.kinds}


def test_a_branch_is_made_from_main(published, newer):
    before = head(published)
    done = push(newer, "ann/model", branch="dev/one")
    assert (kept(published), kept(published, at="dev/one")) == (artifact.files(1), artifact.files(2))
    assert published.store.repo("ann/model").at("dev/one").parent == before
    assert done.branch == "dev/one"


def test_a_branch_of_a_new_repository(hub, folder):
    push(folder, "ann/model", branch="dev")
    assert (kept(hub), kept(hub, at="dev")) == ({}, artifact.files(1))


def test_a_pull_request_leaves_the_branch_alone(published, newer):
    done = push(newer, "ann/model", pull_request=True)
    assert (kept(published), kept(published, at="refs/pr/1")) == (artifact.files(1), artifact.files(2))
    assert done.url == f"{published.url}/ann/model/discussions/1"
    assert pull("hf:ann/model@refs/pr/1").commit == done.commit


def test_a_private_repository_is_private(hub, folder):
    assert push(folder, "ann/model", private=True).private
    assert hub.store.repo("ann/model").state.private


def test_a_public_repository_does_not_become_private_in_a_push(published, newer):
    with pytest.raises(HubError, match="ann/model exists and is public; make it private first"):
        push(newer, "ann/model", private=True)
    assert kept(published) == artifact.files(1)


def test_a_private_repository_stays_private(hub, folder, newer):
    push(folder, "ann/model", private=True)
    assert push(newer, "ann/model").private


def test_an_organization_is_published_to(hub, folder):
    push(folder, "lab/model")
    assert kept(hub, "lab/model") == artifact.files(1)


def test_nothing_is_printed_outside_a_terminal(hub, folder, newer, capfd):
    push(folder, "ann/model")
    push(newer, "ann/model")
    assert capfd.readouterr() == ("", "")
