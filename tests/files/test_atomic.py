"""Files and folders are replaced whole or not at all, by one writer at a time, without leftovers."""

import os
import threading
import time

import pytest

from zoo.errors import BusyError
from zoo.files import atomic


@pytest.fixture(params=["exchange", "two renames"])
def target(request, tmp_path, monkeypatch):
    """Return a folder with old content, on a system that can exchange two folders, or cannot."""
    if request.param != "exchange":
        monkeypatch.setattr(atomic, "_try_exchange", lambda one, other: False)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.txt").write_text("old")
    return folder


def list_siblings(target):
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def replace(target, text="new"):
    with atomic.replace_folder(target, timeout=0.2) as staged:
        atomic.write_new_file(staged / "a.txt", text.encode())


def test_a_folder_is_replaced_without_leftovers(target):
    replace(target)
    assert (target / "a.txt").read_text() == "new"
    assert list_siblings(target) == []


def test_parent_folders_are_created(tmp_path):
    replace(tmp_path / "a" / "b" / "model")
    assert (tmp_path / "a" / "b" / "model" / "a.txt").read_text() == "new"


def test_the_old_folder_stays_until_the_block_ends(target):
    with atomic.replace_folder(target) as staged:
        atomic.write_new_file(staged / "a.txt", b"new")
        assert (target / "a.txt").read_text() == "old"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_block_changes_nothing(target, error):
    def broken():
        with atomic.replace_folder(target) as staged:
            atomic.write_new_file(staged / "a.txt", b"new")
            raise error

    with pytest.raises(error):
        broken()
    assert (target / "a.txt").read_text() == "old"
    assert list_siblings(target) == []


def test_a_second_writer_waits_for_the_first(target):
    def slow():
        with atomic.replace_folder(target) as staged:
            started.set()
            time.sleep(0.2)
            atomic.write_new_file(staged / "a.txt", b"first")

    started = threading.Event()
    first = threading.Thread(target=slow)
    first.start()
    started.wait()
    with atomic.replace_folder(target) as staged:
        assert (target / "a.txt").read_text() == "first"
        atomic.write_new_file(staged / "a.txt", b"second")
    first.join()
    assert (target / "a.txt").read_text() == "second"
    assert list_siblings(target) == []


def test_a_writer_that_waits_too_long_is_refused(target):
    with atomic.acquire_lock(target):
        start = time.perf_counter()
        with pytest.raises(BusyError, match=r"still was after 0\.2 s; try again"):
            replace(target)
        assert time.perf_counter() - start < 2
    replace(target)


def test_two_names_in_one_folder_do_not_wait_for_each_other(target):
    with atomic.acquire_lock(target):
        replace(target.with_name("other"))
    assert list_siblings(target) == ["other"]


def test_many_writers_never_write_at_once(target):
    inside, most = [], []

    def write(number):
        for _ in range(5):
            with atomic.acquire_lock(target, timeout=20):
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.001)
                inside.remove(number)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert (max(most), len(most)) == (1, 30)
    assert list_siblings(target) == []


def test_the_next_writer_removes_only_what_killed_ones_left(target):
    unrelated = [
        ".model.txt",
        ".model.12345678",
        ".model.1234567.partial",
        ".model.zzzzzzzz.old",
        ".other.12345678.partial",
        "model.12345678.old",
    ]
    for name in (".model.12345678.partial", ".model.9abcdef0.old", *unrelated):
        (target.parent / name).mkdir()
        (target.parent / name / "a.txt").write_text("orphan")
    (target.parent / ".model.0badcafe.partial").write_text("a file")
    replace(target)
    assert list_siblings(target) == sorted(unrelated)
    assert (target / "a.txt").read_text() == "new"


@pytest.mark.parametrize("name", ["[model]", "mo*del", "mod?l", "mödel", " model ", "model.", "-model", "a" * 200])
def test_names_with_special_characters_are_supported(tmp_path, name):
    target = tmp_path / name
    replace(target, "old")
    (tmp_path / f".{name}.12345678.partial").mkdir()
    replace(target)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_backup_is_restored_for_readers_and_writers(target):
    backup = target.with_name(".model.12345678.old")
    for use in (atomic.recover, replace):
        target.rename(backup)
        use(target)
        assert target.is_dir()
        assert list_siblings(target) == []


def test_a_reader_does_not_touch_leftovers_of_writers(target):
    orphan = target.with_name(".model.12345678.old")
    orphan.mkdir()
    assert atomic.recover(target) == target
    assert orphan.is_dir()


def test_a_link_among_leftovers_is_removed_but_not_followed(target, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("three years")
    precious.chmod(0o555)
    (tmp_path / ".model.12345678.partial").symlink_to(precious)
    replace(target)
    assert (precious / "thesis.txt").read_text() == "three years"
    assert precious.stat().st_mode & 0o777 == 0o555
    assert list_siblings(target) == ["precious"]


def test_the_permissions_of_a_folder_stay(target):
    target.chmod(0o750)
    replace(target)
    assert target.stat().st_mode & 0o777 == 0o750


def test_a_file_is_replaced_in_one_step(tmp_path):
    path = tmp_path / "zoo.lock"
    atomic.replace_file(path, b"one")
    inode = path.stat().st_ino
    with path.open("rb") as reader:
        atomic.replace_file(path, b"two")
        assert reader.read() == b"one"
    assert path.read_bytes() == b"two"
    assert path.stat().st_ino != inode
    assert os.listdir(tmp_path) == ["zoo.lock"]


def test_a_new_file_never_overwrites(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileExistsError):
        atomic.write_new_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_text() == "old"
