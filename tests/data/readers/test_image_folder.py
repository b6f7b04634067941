from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.errors import DataError, ImageError, LabelError, SourceError

LEVELS = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)


def write(folder, classes=("ant", "bee", "cow"), levels=LEVELS):
    """Write the images as PNG files, one after another into each class's sub-folder."""
    for number, image in enumerate(levels):
        class_folder = folder / classes[number % len(classes)]
        class_folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(class_folder / f"{number}.png")
    return folder


def test_sub_folders_are_the_classes_and_their_names_the_labels(tmp_path):
    images = zoo.dataset(write(tmp_path)).train

    assert images.classes.values == images.classes.names == ("ant", "bee", "cow")
    assert images.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(images.images[:, 0].numpy(), LEVELS[[0, 3, 1, 4, 2, 5]])


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("training", "validation"), ("train", "val")])
def test_parts_lie_above_the_classes(tmp_path, train, test):
    write(tmp_path / train)
    write(tmp_path / test, levels=LEVELS[:3])

    sets = zoo.dataset(str(tmp_path))

    assert (len(sets.train), len(sets.test)) == (6, 3)


def test_a_folder_without_parts_has_no_test_images(tmp_path):
    with pytest.raises(SourceError, match="has no test part"):
        _ = zoo.dataset(write(tmp_path)).test


def test_a_test_part_alone_has_no_training_images(tmp_path):
    write(tmp_path / "test")

    with pytest.raises(SourceError, match="has no train part"):
        _ = zoo.dataset(tmp_path).train


def test_one_colour_file_makes_the_set_colour(tmp_path):
    Image.fromarray(np.zeros((5, 4, 3), np.uint8)).save(write(tmp_path) / "ant" / "9.png")

    assert zoo.dataset(tmp_path).train.channels == 3


def test_other_files_and_empty_folders_are_left_out(tmp_path):
    write(tmp_path)
    (tmp_path / "ant" / "notes.txt").write_text("ants")
    (tmp_path / "empty").mkdir()
    (tmp_path / "README").write_text("insects, and a cow")

    assert len(zoo.dataset(tmp_path).train) == 6


def test_images_of_two_sizes_are_named(tmp_path):
    Image.new("L", (9, 9)).save(write(tmp_path) / "bee" / "9.png")

    with pytest.raises(ImageError, match=r"9\.png is 9 x 9 .* read them at one size"):
        _ = zoo.dataset(tmp_path).train


def test_a_damaged_file_is_named(tmp_path):
    (write(tmp_path) / "bee" / "9.jpg").write_bytes(b"\xff\xd8\xff")

    with pytest.raises(ImageError, match=r"bee/9\.jpg is not an image"):
        _ = zoo.dataset(tmp_path).train


@pytest.mark.parametrize("make", ["nothing", "images without classes"])
def test_a_folder_without_class_folders_is_refused(tmp_path, make):
    if make != "nothing":
        Image.new("L", (9, 9)).save(tmp_path / "1.png")

    with pytest.raises(SourceError, match="make one sub-folder per class"):
        _ = zoo.dataset(tmp_path).train


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no folder or file"):
        zoo.dataset(tmp_path / "gone")


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "data.csv").write_text("1,2")

    with pytest.raises(SourceError, match=r"is not one of \.npz, \.safetensors, \.parquet"):
        zoo.dataset(tmp_path / "data.csv")


def test_classes_of_two_folders_are_matched_by_name(tmp_path):
    train, test = zoo.dataset(write(tmp_path / "a")).train, zoo.dataset(write(tmp_path / "b", ("bee", "cow"))).train

    assert test.with_classes(train.classes).labels.tolist() == [1, 1, 1, 2, 2, 2]
    with pytest.raises(LabelError, match="label ant is not one"):
        train.with_classes(test.classes)
    assert issubclass(LabelError, DataError)
