"""Lines 9, 10 and 11: a save that is killed, raced or refused leaves a whole model, and nothing else."""

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

import bar
import forge
import pytest

import zoo
from zoo.errors import BusyError, WeightsError
from zoo.files import atomic

pytestmark = [
    pytest.mark.reliability,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks"),
]
WAYS = ["exchanged", "moved away and in"]
needs_users = pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="it changes users")


@pytest.mark.parametrize("way", WAYS)
def test_line_9_a_save_killed_by_chance_leaves_the_old_or_the_new(forged, way, tmp_path):
    count = 50 if bar.LONG else 15
    found = {"ended": 0} | forged("kills_by_chance", tmp_path, count, way)
    assert found["killed"] == count
    assert found["old"] + found["new"] == count + found["ended"]
    print(f"{way}: {count} saves killed, {found}, 0 mixed, 0 gone, 0 orphans after the next save")


@pytest.mark.parametrize("way", WAYS)
def test_line_9_a_save_killed_before_any_of_its_calls_leaves_the_old_or_the_new(forged, way, tmp_path):
    found = forged("kills_at_every_call", tmp_path, way)
    assert found["old"] > 10
    assert found["new"] > 1
    print(f"{way}: killed before each of {sum(found.values())} calls, {found}, 0 mixed, 0 gone, 0 orphans")


@pytest.mark.parametrize("way", WAYS)
def test_line_10_readers_see_whole_versions_while_many_save(forged, way, tmp_path):
    writers, saves, readers = (8, 25, 4) if bar.LONG else (4, 8, 2)
    found = forged("race", tmp_path, writers, saves, readers, way)
    assert found["reads"] > 0
    print(f"{way}: {writers} x {saves} saves, {found['reads']} reads, 0 mixed, 0 errors")


def test_line_10_a_place_that_is_held_says_so_after_a_bounded_wait(folder):
    before = (folder / "config.json").read_bytes()
    holder = bar.process(
        "import sys, time; from pathlib import Path; from zoo import atomic\n"
        "with atomic.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)",
        folder,
    )
    assert holder.stdout.readline() == "held\n"
    start = time.perf_counter()
    with pytest.raises(BusyError, match="another process is writing"), atomic.replace_folder(folder, timeout=0.3):
        pytest.fail("two writers at once")
    waited = time.perf_counter() - start
    assert 0.3 <= waited < 2
    zoo.load(folder)  # a reader never waits
    if bar.LONG:
        with pytest.raises(BusyError, match="after 5 s"):
            zoo.load(folder).save(folder)
    holder.kill()
    holder.communicate()
    assert (folder / "config.json").read_bytes() == before
    zoo.load(folder).save(folder)  # the lock of the dead holds nobody
    assert bar.beside(folder) == []
    print(f"held: refused after {waited:.2f} s of 0.3 s; free again once the holder was killed")


def test_line_11_a_full_disk_leaves_the_old_model_and_says_so(forged, tmp_path):
    told = forged("full_disk", tmp_path)
    assert all(text.startswith(f"cannot save to {tmp_path / 'model'}: File too large") for text in told.values()), told
    assert len(told) == 10
    print(f"{len(told)} limits, {len(told)} refused by name and cause, old model intact, 0 left behind")


@pytest.fixture
def open_place():
    """Return a folder that every user can enter."""
    place = Path(tempfile.mkdtemp(prefix="zoo-"))
    place.chmod(0o755)
    yield place
    for each, _, _ in os.walk(place):
        os.chmod(each, 0o755)
    shutil.rmtree(place)


@needs_users
@pytest.mark.parametrize("what", ["the place", "the model", "somebody else's model", "somebody else's place"])
def test_line_11_what_may_not_be_written_stays_and_says_so(forged, what, open_place):
    told = forged("read_only", open_place, what)
    assert told == [f"cannot save to {open_place / 'model'}: Permission denied", forge.OLD, []]
    print(f"{what} is read-only: refused by name and cause, old model intact, 0 left behind")


@needs_users
def test_line_11_a_folder_inside_that_may_not_be_written_does_not_stay_behind(forged, open_place):
    assert forged("read_only", open_place, "a folder inside") == ["", forge.NEW, []]


@needs_users
def test_line_11_a_reader_without_rights_finds_what_a_killed_writer_moved_away(forged, open_place):
    assert forged("moved_away", open_place) == forge.OLD


@pytest.mark.parametrize("mask", [0o077, 0o022, 0o002])
def test_line_11_files_and_folder_honour_the_umask(forged, mask, tmp_path):
    modes = forged("masked", tmp_path, mask)
    assert modes.pop("model") == 0o777 & ~mask
    assert set(modes.values()) == {0o666 & ~mask}
    print(f"umask {mask:03o}: files {0o666 & ~mask:03o}, folder {0o777 & ~mask:03o}")


def test_saving_over_a_folder_keeps_the_rights_its_owner_gave_it(folder):
    folder.chmod(0o750)
    zoo.load(folder).save(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_saving_over_a_folder_keeps_what_people_put_there(folder):
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
        told = (folder / "README.md").read_text()
        assert told.count("Above.") == told.count("Below.") == 1, number
        assert told.count("# gcn-7x7") == 1


@pytest.mark.parametrize("content", ["thesis.txt", "config.json", "history.jsonl", ".git", "model.safetensors"])
def test_a_folder_of_something_else_is_refused_and_stays(content, pristine, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / content).write_text("three years")
    with pytest.raises(WeightsError, match="is not a saved model; save to another path"):
        zoo.load(pristine).save(other)
    assert [(path.name, path.read_text()) for path in other.iterdir()] == [(content, "three years")]
    assert bar.beside(other) == []


def test_an_empty_folder_is_filled(pristine, tmp_path):
    (tmp_path / "empty").mkdir()
    assert zoo.load(zoo.load(pristine).save(tmp_path / "empty")).history


def test_a_folder_with_the_name_of_a_file_is_not_thrown_away(folder):
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    (folder / "README.md" / "thesis.txt").write_text("three years")
    with pytest.raises(WeightsError, match="cannot save to"):
        zoo.load(folder).save(folder)
    assert (folder / "README.md" / "thesis.txt").read_text() == "three years"
    assert bar.beside(folder) == []


def test_saving_to_a_link_writes_to_what_it_leads_to(folder, tmp_path):
    link = tmp_path / "deep" / "link"
    link.parent.mkdir()
    link.symlink_to("../model")
    before = folder.stat().st_ino
    assert zoo.load(folder).save(link) == folder
    assert link.is_symlink()
    assert folder.stat().st_ino != before
    assert zoo.load(link).history
    assert (bar.beside(folder), bar.beside(link)) == (["deep"], [])


def test_saving_to_a_link_that_leads_nowhere_yet_makes_what_it_leads_to(pristine, tmp_path):
    (tmp_path / "link").symlink_to("later")
    assert zoo.load(pristine).save(tmp_path / "link") == tmp_path / "later"
    assert (tmp_path / "link").is_symlink()
