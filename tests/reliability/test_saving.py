"""Lines 9, 10 and 11: a save that is killed, races with others or is refused leaves a whole model and nothing else."""

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

import faulty_saves
import helpers
import pytest

import zoo
from zoo.errors import BusyError, WeightsError
from zoo.files import atomic

pytestmark = [
    pytest.mark.reliability,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks"),
]
METHODS = ["exchange", "rename"]
needs_users = pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="it changes users")


@pytest.mark.parametrize("method", METHODS)
def test_line_9_a_save_killed_at_random_leaves_the_old_or_the_new_model(run_forked, method, tmp_path):
    count = 50 if helpers.LONG else 15
    counts = {"ended": 0} | run_forked("kill_at_random", tmp_path, count, method)
    assert counts["killed"] == count
    assert counts["old"] + counts["new"] == count + counts["ended"]
    print(f"{method}: {count} saves killed, {counts}, 0 mixed, 0 gone, 0 orphans after the next save")


@pytest.mark.parametrize("method", METHODS)
def test_line_9_a_save_killed_before_any_system_call_leaves_the_old_or_the_new_model(run_forked, method, tmp_path):
    counts = run_forked("kill_at_every_call", tmp_path, method)
    assert counts["old"] > 10
    assert counts["new"] > 1
    print(f"{method}: killed before each of {sum(counts.values())} calls, {counts}, 0 mixed, 0 gone, 0 orphans")


@pytest.mark.parametrize("method", METHODS)
def test_line_10_readers_see_whole_versions_during_many_saves(run_forked, method, tmp_path):
    writers, saves, readers = (8, 25, 4) if helpers.LONG else (4, 8, 2)
    counts = run_forked("race_writers", tmp_path, writers, saves, readers, method)
    assert counts["reads"] > 0
    print(f"{method}: {writers} x {saves} saves, {counts['reads']} reads, 0 mixed, 0 errors")


def test_line_10_a_locked_folder_is_refused_after_a_bounded_wait(folder):
    before = (folder / "config.json").read_bytes()
    holder = helpers.start_process(
        "import sys, time; from pathlib import Path; from zoo.files.atomic import acquire_lock\n"
        "with acquire_lock(Path(sys.argv[1])): print('locked', flush=True); time.sleep(60)",
        folder,
    )
    assert holder.stdout.readline() == "locked\n"
    start = time.perf_counter()
    with pytest.raises(BusyError, match="another process is writing"), atomic.replace_folder(folder, timeout=0.3):
        pytest.fail("two writers at once")
    seconds = time.perf_counter() - start
    assert 0.3 <= seconds < 2
    zoo.load(folder)  # a reader never waits
    if helpers.LONG:
        with pytest.raises(BusyError, match="after 5 s"):
            zoo.load(folder).save(folder)
    holder.kill()
    holder.communicate()
    assert (folder / "config.json").read_bytes() == before
    zoo.load(folder).save(folder)  # a killed process leaves no lock
    assert helpers.list_siblings(folder) == []
    print(f"locked: refused after {seconds:.2f} s of 0.3 s; free again once the holder was killed")


def test_line_11_a_full_disk_leaves_the_old_model_with_a_clear_error(run_forked, tmp_path):
    messages = run_forked("save_on_full_disk", tmp_path).values()
    assert all(text.startswith(f"cannot save to {tmp_path / 'model'}: File too large") for text in messages), messages
    assert len(messages) == 10
    print(f"{len(messages)} limits, {len(messages)} refused by name and cause, old model intact, 0 left behind")


@pytest.fixture
def shared_folder():
    """Return a folder that every user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="zoo-"))
    folder.chmod(0o755)
    yield folder
    for each, _, _ in os.walk(folder):
        os.chmod(each, 0o755)
    shutil.rmtree(folder)


@needs_users
@pytest.mark.parametrize("case", ["the folder", "the model", "another user's model", "another user's folder"])
def test_line_11_a_read_only_model_stays_with_a_clear_error(run_forked, case, shared_folder):
    result = run_forked("save_read_only", shared_folder, case)
    assert result == [f"cannot save to {shared_folder / 'model'}: Permission denied", faulty_saves.OLD, []]
    print(f"{case} is read-only: refused by name and cause, old model intact, 0 left behind")


@needs_users
def test_line_11_a_read_only_folder_inside_leaves_no_copy(run_forked, shared_folder):
    assert run_forked("save_read_only", shared_folder, "a folder inside") == ["", faulty_saves.NEW, []]


@needs_users
def test_line_11_a_reader_without_rights_loads_what_a_killed_writer_renamed(run_forked, shared_folder):
    assert run_forked("load_moved_away", shared_folder) == faulty_saves.OLD


@pytest.mark.parametrize("mask", [0o077, 0o022, 0o002])
def test_line_11_files_and_folder_follow_the_umask(run_forked, mask, tmp_path):
    modes = run_forked("save_with_umask", tmp_path, mask)
    assert modes.pop("model") == 0o777 & ~mask
    assert set(modes.values()) == {0o666 & ~mask}
    print(f"umask {mask:03o}: files {0o666 & ~mask:03o}, folder {0o777 & ~mask:03o}")


def test_saving_over_a_folder_keeps_its_permissions(folder):
    folder.chmod(0o750)
    zoo.load(folder).save(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_saving_over_a_folder_keeps_the_users_files(folder):
    (folder / "figures" / "deep").mkdir(parents=True)
    (folder / "figures" / "deep" / "loss.png").write_bytes(b"png")
    (folder / "notes.md").write_text("mine")
    (folder / "link").symlink_to("notes.md")
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    card = (folder / "README.md").read_text()
    (folder / "README.md").write_text(card.replace("<!-- zoo:", "Above.\n\n<!-- zoo:") + "\nBelow.\n")
    for number in (1, 2, 3):
        zoo.load(folder).save(folder)
        assert (folder / "figures" / "deep" / "loss.png").read_bytes() == b"png"
        assert (folder / "notes.md").read_text() == "mine"
        assert (folder / "link").readlink() == Path("notes.md")
        assert (folder / "broken").is_symlink()
        assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)
        text = (folder / "README.md").read_text()
        assert text.count("Above.") == text.count("Below.") == 1, number
        assert text.count("# gcn-7x7") == 1


@pytest.mark.parametrize("content", ["thesis.txt", "config.json", "history.jsonl", ".git", "model.safetensors"])
def test_a_folder_with_other_content_is_refused_and_stays(content, pristine, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / content).write_text("three years")
    with pytest.raises(WeightsError, match="is not a saved model; save to another path"):
        zoo.load(pristine).save(other)
    assert [(path.name, path.read_text()) for path in other.iterdir()] == [(content, "three years")]
    assert helpers.list_siblings(other) == []


def test_an_empty_folder_is_accepted(pristine, tmp_path):
    (tmp_path / "empty").mkdir()
    assert zoo.load(zoo.load(pristine).save(tmp_path / "empty")).history


def test_a_folder_with_the_name_of_a_file_is_not_deleted(folder):
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    (folder / "README.md" / "thesis.txt").write_text("three years")
    with pytest.raises(WeightsError, match="cannot save to"):
        zoo.load(folder).save(folder)
    assert (folder / "README.md" / "thesis.txt").read_text() == "three years"
    assert helpers.list_siblings(folder) == []


def test_saving_to_a_link_writes_to_its_target(folder, tmp_path):
    link = tmp_path / "deep" / "link"
    link.parent.mkdir()
    link.symlink_to("../model")
    before = folder.stat().st_ino
    assert zoo.load(folder).save(link) == folder
    assert link.is_symlink()
    assert folder.stat().st_ino != before
    assert zoo.load(link).history
    assert (helpers.list_siblings(folder), helpers.list_siblings(link)) == (["deep"], [])


def test_saving_to_a_broken_link_creates_its_target(pristine, tmp_path):
    (tmp_path / "link").symlink_to("later")
    assert zoo.load(pristine).save(tmp_path / "link") == tmp_path / "later"
    assert (tmp_path / "link").is_symlink()
