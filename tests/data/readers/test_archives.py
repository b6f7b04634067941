from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits

import zoo
from zoo import Images
from zoo.data import as_images
from zoo.data.readers.archives import write_safetensors
from zoo.errors import DataError, ImageError, LabelError, SourceError
from zoo.signature import Classes

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_is_read_by_the_names_of_keras_and_medmnist(tmp_path, names, save):
    arrays = (PIXELS, LABELS.reshape(-1, 1), PIXELS[:3], LABELS[:3])
    save(tmp_path / "set.npz", **dict(zip(names, arrays, strict=True)))

    sets = zoo.dataset(tmp_path / "set.npz")

    assert np.array_equal(sets.train.images[:, 0].numpy(), PIXELS)
    assert np.array_equal(sets.train.labels.numpy(), LABELS)
    assert len(sets.test) == 3


@pytest.mark.parametrize("names", [("X", "y"), ("images", "labels"), ("data", "target")])
def test_npz_of_one_part_is_the_training_part(tmp_path, names):
    np.savez(tmp_path / "set.npz", **dict(zip(names, (PIXELS, LABELS), strict=True)))

    sets = zoo.dataset(tmp_path / "set.npz")

    assert len(sets.train) == 6
    with pytest.raises(SourceError, match=r"no test part; it has .*; zoo reads x_test, y_test"):
        _ = sets.test


class Marker:
    """Create a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_npz_that_needs_pickle_is_refused_and_runs_nothing(tmp_path):
    marker = tmp_path / "was here"
    trap = np.empty(1, object)
    trap[0] = Marker(marker)
    np.savez(tmp_path / "trap.npz", x_train=PIXELS, y_train=trap)

    with pytest.raises(SourceError, match=r"not a \.npz file of plain arrays"):
        zoo.dataset(tmp_path / "trap.npz")

    assert not marker.exists()
    with np.load(tmp_path / "trap.npz", allow_pickle=True) as file:  # the trap is a real one
        _ = file["y_train"]
    assert marker.exists()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_npz_is_read_or_refused(tmp_path, save, seed):
    save(tmp_path / "set.npz", x_train=PIXELS, y_train=LABELS)
    data = bytearray((tmp_path / "set.npz").read_bytes())
    rng = np.random.default_rng(seed)
    data[rng.integers(len(data))] ^= int(rng.integers(1, 256))
    (tmp_path / "set.npz").write_bytes(data)

    with suppress(DataError):
        assert len(zoo.dataset(tmp_path / "set.npz").train) == 6


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_a_file_that_is_not_npz_is_refused(tmp_path, content):
    (tmp_path / "set.npz").write_bytes(content)

    with pytest.raises(SourceError, match=r"not a \.npz file"):
        zoo.dataset(tmp_path / "set.npz")


def test_a_single_array_named_npz_is_refused(tmp_path):
    with (tmp_path / "set.npz").open("wb") as file:
        np.save(file, PIXELS)

    with pytest.raises(SourceError, match=r"not a \.npz file"):
        zoo.dataset(tmp_path / "set.npz")


def test_safetensors_come_back_as_they_were_written(tmp_path, small):
    write_safetensors({"train": small, "test": small[:5]}, tmp_path / "set.safetensors", {"license": "MIT"})

    sets = zoo.dataset(tmp_path / "set.safetensors")

    assert sets.train == small
    assert sets.test == small[:5]


def test_safetensors_keep_string_classes(tmp_path):
    images = Images(torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([1, 0]), Classes.of(["é", "b"]))
    write_safetensors({"train": images}, tmp_path / "set.safetensors", {})

    assert zoo.dataset(tmp_path / "set.safetensors").train.classes.values == ("é", "b")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_safetensors_cut_short_are_refused(tmp_path, small, share):
    path = tmp_path / "set.safetensors"
    write_safetensors({"train": small}, path, {})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    with pytest.raises(SourceError, match="is damaged"):
        zoo.dataset(path)


@pytest.mark.parametrize("about", [{}, {"zoo": "{"}, {"zoo": "[]"}, {"zoo": '{"values": 5, "names": []}'}], ids=str)
def test_other_safetensors_are_refused(tmp_path, about):
    save_file({"weight": torch.zeros(3)}, tmp_path / "model.safetensors", about)

    with pytest.raises(SourceError, match="not an image set"):
        zoo.dataset(tmp_path / "model.safetensors")


def test_safetensors_without_a_part_name_what_they_have(tmp_path):
    about = {"zoo": json.dumps({"values": [0], "names": ["a"]})}
    save_file({"weight": torch.zeros(3)}, tmp_path / "model.safetensors", about)

    with pytest.raises(SourceError, match="no train part; it has weight"):
        _ = zoo.dataset(tmp_path / "model.safetensors").train


def test_the_digits_of_scikit_learn_are_images():
    digits = load_digits()

    rows, squares = as_images((digits.data, digits.target)), as_images((digits.images, digits.target))

    assert rows == squares
    assert (len(rows), rows.size, len(rows.classes)) == (1797, (8, 8), 10)
    assert np.array_equal(rows.images[:, 0].numpy(), digits.images)


def test_string_labels_are_the_classes():
    images = as_images((PIXELS, ["b", "a", "b", "b", "a", "b"]))

    assert images.classes.values == ("a", "b")
    assert images.labels.tolist() == [1, 0, 1, 1, 0, 1]


@pytest.mark.parametrize("width", [1, 3, 4])
def test_narrow_grey_images_are_distinguished_from_colour_by_their_number(width):
    assert as_images((np.zeros((6, 5, width), np.uint8), LABELS)).images.shape == (6, 1, 5, width)


@pytest.mark.parametrize(
    ("pair", "error", "words"),
    [
        ((PIXELS, LABELS[:5]), LabelError, "6 images and 5 labels"),
        ((PIXELS, LABELS + 0.5), LabelError, "one class per image"),
        ((PIXELS, np.eye(6)), LabelError, "one class per image"),
        ((PIXELS, np.array(3)), LabelError, "single 3"),
        ((PIXELS[:0], []), LabelError, "no labels"),
        ((PIXELS * np.nan, LABELS), ImageError, "NaN"),
        ((PIXELS - 300.0, LABELS), ImageError, r"levels 0\.\.255 or floats"),
        ((["a.png"] * 6, LABELS), ImageError, "numbers in an array"),
    ],
)
def test_a_pair_that_cannot_be_used_says_why(pair, error, words):
    with pytest.raises(error, match=words):
        as_images(pair)
