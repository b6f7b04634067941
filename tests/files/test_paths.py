"""Paths that lead nowhere are said to, and what is replaced while it is read is read again."""

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


def successor(folder, text):
    """Return a folder that would replace it."""
    made = folder.with_name(f"next-{text}")
    made.mkdir()
    for name in ("a", "b"):
        (made / name).write_text(text)
    return made


def put(made, folder):
    shutil.rmtree(folder)
    made.rename(folder)


def both(folder):
    return (folder / "a").read_text(), (folder / "b").read_text()


def test_what_was_replaced_between_two_files_is_read_again(folder):
    nexts = [successor(folder, "new")]

    def read(place):
        first = (place / "a").read_text()
        if nexts:
            put(nexts.pop(), folder)
        return first, (place / "b").read_text()

    assert read_consistently(folder, read) == ("new", "new")


def test_what_failed_while_it_was_replaced_is_read_again(folder):
    nexts = [successor(folder, "new")]

    def read(place):
        if nexts:
            put(nexts.pop(), folder)
            raise WeightsError("half")
        return both(place)

    assert read_consistently(folder, read) == ("new", "new")


def test_what_fails_by_itself_is_tried_once(folder):
    tries = []

    def read(place):
        tries.append(place)
        raise WeightsError("damaged")

    with pytest.raises(WeightsError, match="damaged"):
        read_consistently(folder, read)
    assert tries == [folder]


def test_a_place_that_is_replaced_for_ever_is_given_up(folder):
    def read(place):
        put(successor(folder, "new"), folder)

    with pytest.raises(WeightsError, match=f"replaced {MAX_READ_ATTEMPTS} times while it was read; try again"):
        read_consistently(folder, read)


def test_a_folder_that_takes_the_number_of_the_old_one_is_another(folder):
    """While it is held the old one keeps its inode, so that no new folder can pass for it."""
    inode, seen = folder.stat().st_ino, []

    def read(place):
        if not seen:
            put(successor(folder, "new"), folder)
            seen.append(folder.stat().st_ino)
        return both(place)

    assert read_consistently(folder, read) == ("new", "new")
    assert seen[0] != inode


def test_no_file_stays_open(folder):
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(20):
        read_consistently(folder, both)
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


@pytest.fixture(scope="module")
def model():
    return zoo.create("gcn-7x7", seed=0, hidden=(4, 8))


NOWHERE = ["./a\0b", f"./{'a' * 300}", "/", "."]


@pytest.mark.parametrize("place", NOWHERE, ids=["zero byte", "long", "root", "here"])
def test_a_place_that_cannot_be_loaded_from_is_a_clear_error(place):
    with pytest.raises(WeightsError):
        zoo.load(place)


@pytest.mark.parametrize("place", NOWHERE[1:], ids=["long", "root", "here"])
def test_a_place_that_cannot_be_saved_to_is_a_clear_error(model, place):
    with pytest.raises(WeightsError, match=r"cannot save|no saved model"):
        model.save(place)


def test_a_file_in_the_way_is_named(model, tmp_path):
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "model"):
        with pytest.raises(WeightsError, match=str(tmp_path / "file")):
            model.save(place)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_slash_at_the_end_and_dots_on_the_way_are_no_matter(model, tmp_path):
    assert model.save(f"{tmp_path}/a/") == tmp_path / "a"
    assert model.save(tmp_path / "b" / ".." / "c") == tmp_path / "c"
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "history.jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to nothing", "link to itself"])
def test_what_is_no_file_is_refused_at_once(model, tmp_path, name, kind):
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
def test_any_name_of_a_folder_is_a_name(model, tmp_path, name):
    assert zoo.load(model.save(tmp_path / name)).reference == str(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
