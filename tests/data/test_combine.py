"""Test sets of real and generated images, by count and by fraction."""

import pytest
import torch

import zoo
from zoo.data import augment_once, center_crop, mix
from zoo.errors import ConfigError, ImageError, LabelError
from zoo.signature import Classes


def images(num, level, *, classes=2, size=4, name=""):
    pixels = torch.full((num, 1, size, size), level, dtype=torch.uint8)
    return zoo.Images(pixels, torch.arange(num) % classes, Classes.numbered(classes), name=name)


def levels(mixed):
    return mixed.images[:, 0, 0, 0]


def test_a_count_adds_others_to_all_real_images():
    mixed = mix(images(6, 10, name="mnist/train"), images(9, 200, name="gan/drawn"), count=3)
    assert sorted(levels(mixed).tolist()) == [10] * 6 + [200] * 3
    assert mixed.name == "6 of mnist/train and 3 of gan/drawn"


def test_a_fraction_replaces_real_images_and_keeps_the_size():
    mixed = mix(images(8, 10), images(9, 200), fraction=0.5)
    assert sorted(levels(mixed).tolist()) == [10] * 4 + [200] * 4


def test_a_total_makes_a_smaller_set():
    mixed = mix(images(8, 10), images(9, 200), fraction=0.25, total=4)
    assert sorted(levels(mixed).tolist()) == [10] * 3 + [200]


@pytest.mark.parametrize(("share", "level"), [(0.0, 10), (1.0, 200)])
def test_a_fraction_of_zero_or_one_is_one_of_the_two_sets(share, level):
    assert levels(mix(images(5, 10), images(5, 200), fraction=share)).tolist() == [level] * 5


def test_the_order_is_shuffled_and_labels_go_along_with_their_images():
    real, others = images(50, 10), images(50, 200)
    real.images += real.labels.to(torch.uint8).view(-1, 1, 1, 1)
    others.images += others.labels.to(torch.uint8).view(-1, 1, 1, 1)
    mixed = mix(real, others, count=50, seed=1)
    assert torch.equal(levels(mixed) % 10, mixed.labels.to(torch.uint8))
    assert 10 < int((levels(mixed)[:50] > 100).sum()) < 40
    assert mix(real, others, count=50, seed=1) == mixed
    assert mix(real, others, count=50, seed=2) != mixed


def test_labels_are_matched_by_value():
    swapped = zoo.Images(images(4, 200).images, torch.tensor([0, 0, 1, 1]), Classes.of((1, 0)))
    mixed = mix(images(4, 10), swapped, count=4)
    assert mixed.labels[levels(mixed) == 200].tolist().count(1) == 2
    with pytest.raises(LabelError):
        mix(images(4, 10), images(9, 200, classes=3), count=9)


@pytest.mark.parametrize(
    "how", [{}, {"count": 1, "fraction": 0.5}, {"fraction": 1.5}, {"count": -1}, {"count": 1, "total": 9}]
)
def test_invalid_arguments_are_refused(how):
    with pytest.raises(ConfigError):
        mix(images(4, 10), images(4, 200), **how)


def test_too_few_images_or_other_sizes_are_refused_with_what_to_do():
    with pytest.raises(ImageError, match="needs 4 real images and 9 others, and there are 4 and 5; generate more"):
        mix(images(4, 10), images(5, 200), count=9)
    with pytest.raises(ImageError, match="resize"):
        mix(images(4, 10), images(4, 200, size=5), count=2)


def test_a_crop_is_the_center():
    picture = images(1, 0, classes=1)
    picture.images[0, 0] = torch.arange(16, dtype=torch.uint8).view(4, 4)
    assert center_crop(picture, 2).images[0, 0].tolist() == [[5, 6], [9, 10]]
    with pytest.raises(ImageError, match="cannot crop 4 x 4 images to 5 x 5"):
        center_crop(picture, 5)


def test_augmenting_once_differs_by_image_and_leaves_the_set_unchanged():
    grey = images(20, 100)
    found = augment_once(grey, ("brightness:0.3",), seed=0)
    assert len(levels(found).unique()) > 10
    assert found == augment_once(grey, ("brightness:0.3",), seed=0)
    assert levels(grey).unique().tolist() == [100]
