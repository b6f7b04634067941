from __future__ import annotations

import pytest
import torch

import zoo
from zoo.data.transforms import resize_images
from zoo_image_sets import CLOTHES, shrink
from zoo_image_sets.readers import BUNDLED


@pytest.mark.parametrize(("part", "num"), [("train", 60_000), ("test", 10_000)])
def test_the_shipped_set_is_whole(bundled, part, num):
    images = getattr(bundled, part)

    assert images.images.shape == (num, 1, 7, 7)
    assert images.images.dtype == torch.uint8
    assert set(images.counts.values()) == {num // 10}
    assert images.classes.names == CLOTHES
    assert images.classes.values == tuple(range(10))
    assert images.name == f"fashion-mnist-7x7/{part}"


def test_the_shipped_pictures_are_no_noise(bundled):
    mean, std = bundled.train.moments()

    assert 0.2 < mean[0] < 0.25
    assert 0.25 < std[0] < 0.35


def test_the_shipped_set_says_where_it_comes_from():
    header = BUNDLED.read_bytes()[:2000]

    for words in (b"Zalando", b"MIT", b"scipy.ndimage.zoom(order=1)"):
        assert words in header


@pytest.mark.parametrize("name", ["fashion-mnist-7x7", "fashion-mnist", "mnist", "cifar10-jpeg"])
def test_every_set_is_on_the_shelf_with_its_licence(name):
    spec = zoo.datasets[name]

    assert spec.license
    assert spec.counts["test"] == 10_000
    assert len(spec.classes) == 10


@pytest.mark.data
@pytest.mark.parametrize("name", ["fashion-mnist", "mnist", "cifar10-jpeg"])
def test_the_full_sets_are_what_the_shelf_says(full_data, name):
    spec, sets = zoo.datasets[name], zoo.dataset(name)

    for part in ("train", "test"):
        images = getattr(sets, part)
        assert (len(images), images.size, images.channels) == (spec.counts[part], spec.size, spec.channels)
        assert images.classes.names == spec.classes


@pytest.mark.data
def test_the_script_makes_the_shipped_file_byte_by_byte(full_data, tmp_path):
    folder, made = full_data / "fashion-mnist", tmp_path / "made.safetensors"

    shrink.main([str(folder), str(made)])

    assert made.read_bytes() == BUNDLED.read_bytes()


@pytest.mark.data
@pytest.mark.parametrize("part", ["train", "test"])
def test_resizing_by_samples_is_the_shrinking_of_the_paper_up_to_rounding(full_data, bundled, part):
    full, shipped = getattr(zoo.dataset("fashion-mnist"), part), getattr(bundled, part)

    ours = resize_images(full.images, (7, 7), "sample")

    apart = (ours.int() - shipped.images.int()).abs()
    print(f"{part}: {int((apart > 0).sum())} of {apart.numel()} pixels differ, by {int(apart.max())} level at most")
    assert int(apart.max()) <= 1
    assert float((apart > 0).double().mean()) < 1e-3
