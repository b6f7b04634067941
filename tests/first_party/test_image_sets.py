from __future__ import annotations

import pytest
import torch

import zoo
from zoo.data.transforms import resize_images
from zoo_image_sets import CLOTHES, shrink
from zoo_image_sets.readers import BUNDLED


@pytest.mark.parametrize(("part", "num"), [("train", 60_000), ("test", 10_000)])
def test_the_shipped_data_set_is_complete(bundled, part, num):
    images = getattr(bundled, part)

    assert images.images.shape == (num, 1, 7, 7)
    assert images.images.dtype == torch.uint8
    assert set(images.counts.values()) == {num // 10}
    assert images.classes.names == CLOTHES
    assert images.classes.values == tuple(range(10))
    assert images.name == f"fashion-mnist-7x7/{part}"


def test_the_shipped_images_have_the_expected_moments(bundled):
    mean, std = bundled.train.moments()

    assert 0.2 < mean[0] < 0.25
    assert 0.25 < std[0] < 0.35


def test_the_shipped_file_states_its_source():
    header = BUNDLED.read_bytes()[:2000]

    for text in (b"Zalando", b"MIT", b"scipy.ndimage.zoom(order=1)"):
        assert text in header


@pytest.mark.parametrize("name", ["fashion-mnist-7x7", "fashion-mnist", "mnist", "cifar10-jpeg"])
def test_every_data_set_is_registered_with_its_licence(name):
    spec = zoo.datasets[name]

    assert spec.license
    assert spec.counts["test"] == 10_000
    assert len(spec.classes) == 10


@pytest.mark.data
@pytest.mark.parametrize("name", ["fashion-mnist", "mnist", "cifar10-jpeg"])
def test_the_full_data_sets_match_their_specs(full_data, name):
    spec, dataset = zoo.datasets[name], zoo.dataset(name)

    for part in ("train", "test"):
        images = getattr(dataset, part)
        assert (len(images), images.size, images.channels) == (spec.counts[part], spec.size, spec.channels)
        assert images.classes.names == spec.classes


@pytest.mark.data
def test_the_script_writes_the_shipped_file_byte_by_byte(full_data, tmp_path):
    folder, out = full_data / "fashion-mnist", tmp_path / "out.safetensors"

    shrink.main([str(folder), str(out)])

    assert out.read_bytes() == BUNDLED.read_bytes()


@pytest.mark.data
@pytest.mark.parametrize("part", ["train", "test"])
def test_resizing_by_sampling_equals_the_papers_resizing_up_to_rounding(full_data, bundled, part):
    full, shipped = getattr(zoo.dataset("fashion-mnist"), part), getattr(bundled, part)

    resized = resize_images(full.images, (7, 7), "sample")

    differences = (resized.int() - shipped.images.int()).abs()
    largest = int(differences.max())
    print(f"{part}: {int((differences > 0).sum())} of {differences.numel()} pixels differ, by {largest} at most")
    assert largest <= 1
    assert float((differences > 0).double().mean()) < 1e-3
