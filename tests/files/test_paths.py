"""Impossible paths are refused, and a folder that is replaced during a read is read again."""

import os
import shutil
from pathlib import Path

import pytest

import zoo
from zoo.errors import WeightsError
from zoo.files.paths import MAX_READ_ATTEMPTS, read_consistently


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a").write_text("old")
    (folder / "b").write_text("old")
    return folder


def make_successor(folder, text):
    """Return a folder that can replace another."""
    new = folder.with_name(f"next-{text}")
    new.mkdir()
    for name in ("a", "b"):
        (new / name).write_text(text)
    return new


def install(new, folder):
    shutil.rmtree(folder)
    new.rename(folder)


def read_both(folder):
    return (folder / "a").read_text(), (folder / "b").read_text()


def test_a_folder_replaced_between_two_files_is_read_again(folder):
    successors = [make_successor(folder, "new")]

    def read(path):
        first = (path / "a").read_text()
        if successors:
            install(successors.pop(), folder)
        return first, (path / "b").read_text()

    assert read_consistently(folder, read) == ("new", "new")


def test_an_error_during_a_replacement_is_read_again(folder):
    successors = [make_successor(folder, "new")]

    def read(path):
        if successors:
            install(successors.pop(), folder)
            raise WeightsError("half")
        return read_both(path)

    assert read_consistently(folder, read) == ("new", "new")


def test_an_error_without_a_replacement_is_raised_at_once(folder):
    tries = []

    def read(path):
        tries.append(path)
        raise WeightsError("damaged")

    with pytest.raises(WeightsError, match="damaged"):
        read_consistently(folder, read)
    assert tries == [folder]


def test_reading_gives_up_on_endless_replacements(folder):
    def read(path):
        install(make_successor(folder, "new"), folder)

    with pytest.raises(WeightsError, match=f"replaced {MAX_READ_ATTEMPTS} times while it was read; try again"):
        read_consistently(folder, read)


def test_a_new_folder_never_gets_the_inode_of_the_old_one(folder):
    """The old folder is open during the read, so its inode number stays taken."""
    inode, seen = folder.stat().st_ino, []

    def read(path):
        if not seen:
            install(make_successor(folder, "new"), folder)
            seen.append(folder.stat().st_ino)
        return read_both(path)

    assert read_consistently(folder, read) == ("new", "new")
    assert seen[0] != inode


def test_no_file_stays_open(folder):
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(20):
        read_consistently(folder, read_both)
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


@pytest.fixture(scope="module")
def model():
    return zoo.create("gcn-7x7", seed=0, hidden=(4, 8))


NOWHERE = ["./a\0b", f"./{'a' * 300}", "/", "."]


@pytest.mark.parametrize("path", NOWHERE, ids=["zero byte", "long", "root", "here"])
def test_an_impossible_path_to_load_is_refused(path):
    with pytest.raises(WeightsError):
        zoo.load(path)


@pytest.mark.parametrize("path", NOWHERE[1:], ids=["long", "root", "here"])
def test_an_impossible_path_to_save_is_refused(model, path):
    with pytest.raises(WeightsError, match=r"cannot save|not a saved model"):
        model.save(path)


def test_a_file_at_the_path_is_named(model, tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "model"):
        with pytest.raises(WeightsError, match=str(tmp_path / "file")):
            model.save(path)
    assert (tmp_path / "file").read_text() == "mine"


def test_trailing_slashes_and_dots_are_resolved(model, tmp_path):
    assert model.save(f"{tmp_path}/a/") == tmp_path / "a"
    assert model.save(tmp_path / "b" / ".." / "c") == tmp_path / "c"
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "history.jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to nothing", "link to itself"])
def test_anything_but_a_regular_file_is_refused_at_once(model, tmp_path, name, kind):
    path = model.save(tmp_path / "model") / name
    path.unlink()
    {
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "folder": path.mkdir,
        "link to nothing": lambda: path.symlink_to("nothing"),
        "link to itself": lambda: path.symlink_to(path.name),
    }[kind]()
    with pytest.raises(WeightsError, match=name):
        zoo.load(tmp_path / "model")


def test_files_may_be_links_to_files(model, tmp_path):
    folder = model.save(tmp_path / "model")
    for path in list(folder.iterdir()):
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    zoo.load(folder)


NAMES = ["modèle", "模型", "a b", "a'b", 'a"b', "$HOME", "-x", "#1", "%20", "emoji 🦓"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_folder_is_supported(model, tmp_path, name):
    assert zoo.load(model.save(tmp_path / name)).reference == str(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
