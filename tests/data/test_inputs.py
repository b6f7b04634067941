from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from zoo import Loader
from zoo.data import ExternalLoader
from zoo.data.inputs import as_inputs, find_image_files, resize_images_to_model, resize_to_model
from zoo.errors import ImageError, SourceError
from zoo.signature import Preprocessing

WANTS = Preprocessing(size=(7, 7))
COLOUR = Preprocessing(size=(7, 7), channels=3)
LEVELS = np.random.default_rng(0).integers(0, 256, (6, 7, 7), dtype=np.uint8)


@pytest.fixture
def album(tmp_path):
    """Return a folder of the six images as files, three in each of two sub-folders."""
    for number, levels in enumerate(LEVELS):
        folder = tmp_path / ("ab"[number // 3])
        folder.mkdir(exist_ok=True)
        Image.fromarray(levels).save(folder / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize(
    "make",
    [
        lambda: LEVELS,
        lambda: torch.from_numpy(LEVELS),
        lambda: LEVELS[:, None],
        lambda: LEVELS[..., None],
        lambda: LEVELS.reshape(6, 49),
        lambda: LEVELS.tolist(),
        lambda: list(LEVELS),
        lambda: tuple(LEVELS),
        lambda: LEVELS / 255,
        lambda: [Image.fromarray(levels) for levels in LEVELS],
        lambda: [LEVELS[:4], Image.fromarray(LEVELS[4]), LEVELS[5:] / 255],
        lambda: DataLoader(TensorDataset(torch.from_numpy(LEVELS), torch.arange(6)), batch_size=4),
        lambda: DataLoader(TensorDataset(torch.from_numpy(LEVELS)), batch_size=4),
        lambda: ExternalLoader(DataLoader(TensorDataset(torch.from_numpy(LEVELS), torch.arange(6)), batch_size=4)),
    ],
    ids=[
        *("array", "tensor", "NCHW", "NHWC", "rows", "lists", "list of arrays", "tuple", "floats", "pictures"),
        *("a mixed list", "loader with labels", "loader without", "stream"),
    ],
)
def test_every_form_of_the_same_images_gives_the_same_input_in_order(make):
    images = as_inputs(make(), WANTS).float()

    expected = torch.from_numpy(LEVELS)[:, None].float()
    torch.testing.assert_close(images * (255 if float(images.max()) <= 1 else 1), expected)


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_a_folder_gives_its_files_by_name_and_its_sub_folders_one_after_another(album, kind):
    assert torch.equal(as_inputs(kind(album), WANTS)[:, 0], torch.from_numpy(LEVELS))
    assert torch.equal(as_inputs(kind(album / "b"), WANTS)[:, 0], torch.from_numpy(LEVELS[3:]))
    assert torch.equal(as_inputs(kind(album / "b" / "4.png"), WANTS)[:, 0], torch.from_numpy(LEVELS[4:5]))


def test_a_list_may_mix_files_and_folders(album):
    assert len(as_inputs([album / "a", str(album / "b" / "3.png")], WANTS)) == 4


def test_images_and_loaders_of_images_give_their_pixels_in_their_own_order(small):
    assert torch.equal(as_inputs(small, WANTS), small.images)
    assert torch.equal(as_inputs(Loader(small, shuffle=True), WANTS), small.images)


def test_one_array_image_gives_one_input():
    assert as_inputs(LEVELS[0], WANTS).shape == (1, 1, 7, 7)
    assert as_inputs(np.zeros((20, 30, 3)), COLOUR).shape == (1, 3, 7, 7)


def test_images_of_any_size_are_resized_to_the_model():
    mixed = [np.zeros((20, 30), np.uint8), np.zeros((7, 7), np.uint8), Image.new("L", (3, 50))]

    assert as_inputs(mixed, WANTS).shape == (3, 1, 7, 7)


def test_image_files_are_converted_to_the_channels_of_the_model(album):
    assert as_inputs(album, COLOUR).shape == (6, 3, 7, 7)
    assert as_inputs(Image.new("RGB", (7, 7)), WANTS).shape == (1, 1, 7, 7)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([], "no images to predict"),
        (np.zeros((0, 7, 7)), "not images"),
        (np.zeros((2, 3, 7, 7), np.uint8), r"3 channels, the model takes 1; to_grayscale\(\)"),
        (np.full((2, 7, 7), np.nan), "NaN"),
        (np.random.default_rng(0).standard_normal((2, 7, 7)), "leave Normalize out"),
        (None, "numbers in an array"),
        ((number for number in range(3)), "not a generator"),
        ("gone.png", "no file"),
        (["gone.png"], "no file"),
        ([None], "numbers in an array"),
        (5, "not images"),
    ],
    ids=["empty list", "empty", "colour", "NaN", "normalised", "None", "generator", "path", "paths", "Nones", "int"],
)
def test_other_inputs_are_refused(source, words):
    with pytest.raises(ImageError, match=words):
        as_inputs(source, WANTS)


def test_grey_images_for_a_colour_model_say_how_to_make_one_for_them():
    with pytest.raises(ImageError, match="create the model with channels=1"):
        as_inputs(LEVELS, COLOUR)


def test_a_data_set_says_which_parts_it_has(bundled):
    with pytest.raises(ImageError, match=r"\.train or \.test"):
        as_inputs(bundled, WANTS)


def test_a_loader_without_an_end_is_refused():
    class Endless:
        def __len__(self) -> int:
            return 2

        def __iter__(self) -> Iterator[torch.Tensor]:
            while True:
                yield torch.zeros(1, 1, 7, 7)

    with pytest.raises(SourceError, match="says it has 2 batches and yields more"):
        as_inputs(Endless(), WANTS)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ImageError, match="holds no image files"):
        find_image_files(tmp_path)


def test_levels_stay_levels_and_floats_stay_floats():
    assert resize_to_model(torch.zeros(1, 1, 9, 9, dtype=torch.uint8), WANTS).dtype == torch.uint8
    assert resize_to_model(torch.zeros(1, 1, 9, 9), WANTS).dtype == torch.float32


def test_resized_images_keep_labels_classes_and_name(bundled):
    part = bundled.test.take(4)

    suitable = resize_images_to_model(part, Preprocessing(size=(14, 14)))

    assert suitable.size == (14, 14)
    assert torch.equal(suitable.labels, part.labels)
    assert (suitable.classes, suitable.name) == (part.classes, part.name)
