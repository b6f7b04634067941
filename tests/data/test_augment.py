from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from zoo.data import AUGMENTATIONS
from zoo.data.augment import Augment, _make_affine, _warp_images
from zoo.errors import ConfigError


def pictures(num: int = 16, channels: int = 3, height: int = 12, width: int = 10) -> torch.Tensor:
    return torch.rand(num, channels, height, width, generator=torch.Generator().manual_seed(0))


def augmented(names, images=None, *, seed=1, labels=None, **mixing):
    images = pictures() if images is None else images
    labels = torch.arange(len(images)) % 4 if labels is None else labels
    return Augment(names, num_classes=4, **mixing)(images, labels, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_augmentation_keeps_shape_and_range_and_changes_something(name):
    images, labels = augmented((name,))

    assert images.shape == (16, 3, 12, 10)
    assert float(images.min()) >= -1e-6
    assert float(images.max()) <= 1 + 1e-6
    assert not torch.equal(images, pictures())
    assert torch.equal(labels, torch.arange(16) % 4)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_augmentation_is_decided_by_the_generator(name):
    assert torch.equal(augmented((name,), seed=3)[0], augmented((name,), seed=3)[0])
    assert not torch.equal(augmented((name,), seed=3)[0], augmented((name,), seed=4)[0])


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_image_of_a_batch_is_changed_differently(name):
    same = pictures(1).expand(32, -1, -1, -1)

    images, _ = augmented((name,), same)

    assert len(images.flatten(1).unique(dim=0)) > 1


@pytest.mark.parametrize("how", [*[{"names": (name,)} for name in AUGMENTATIONS], {"mixup": 0.4}, {"cutmix": 1.0}])
def test_global_random_states_and_the_images_stay_as_they_were(how):
    images = pictures()
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()

    augmented(how.get("names", ()), images, **{key: value for key, value in how.items() if key != "names"})

    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[1:]
    assert torch.equal(images, pictures())


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_integer_images_are_converted_to_floats(name):
    images, _ = augmented((name,), torch.randint(256, (8, 1, 7, 7), dtype=torch.uint8))

    assert images.dtype == torch.float32
    assert float(images.max()) <= 1 + 1e-6


@pytest.mark.parametrize(("name", "axis"), [("flip:1", 3), ("flip-vertical:1", 2)])
def test_a_sure_flip_mirrors_every_image_and_twice_is_none(name, axis):
    once, _ = augmented((name,))

    assert torch.equal(once, pictures().flip(axis))
    assert torch.equal(augmented((name, name))[0], pictures())


def test_a_flip_mirrors_about_the_given_fraction_of_images():
    images, _ = augmented(("flip:0.25",), pictures(2000, 1, 3, 4))

    changed = (images != pictures(2000, 1, 3, 4)).flatten(1).any(1).float().mean()

    assert 0.2 < changed < 0.3


def test_a_shift_moves_by_whole_pixels_and_fills_with_black():
    marks = torch.zeros(64, 1, 9, 9)
    marks[:, 0, 4, 4] = 1

    images, _ = augmented(("shift:2",), marks)

    positions = images.flatten(1).argmax(1)
    torch.testing.assert_close(images.flatten(1).amax(1), torch.ones(64), atol=1e-5, rtol=0)
    torch.testing.assert_close(images.flatten(1).sum(1), torch.ones(64), atol=1e-5, rtol=0)
    assert set((positions // 9 - 4).tolist()) == set((positions % 9 - 4).tolist()) == {-2, -1, 0, 1, 2}


def test_a_shifted_picture_is_the_picture_moved():
    images = pictures(1, 1, 6, 8)
    one, zero = torch.ones(1), torch.zeros(1)

    moved = _warp_images(images, [_make_affine(one, zero, zero, one, 2 * one, -one)])

    expected = torch.zeros_like(images)
    expected[:, :, 1:, :6] = images[:, :, :5, 2:]
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [7, 8])
def test_a_quarter_turn_is_that_of_torch(size):
    images = pictures(2, 3, size, size)
    one, zero = torch.ones(2), torch.zeros(2)

    turned = _warp_images(images, [_make_affine(zero, -one, one, zero, zero, zero)])

    torch.testing.assert_close(turned, torch.rot90(images, 1, (2, 3)), atol=1e-5, rtol=0)


def test_warps_compose_into_one_resampling():
    images = pictures(2, 1, 9, 9)
    one, zero = torch.ones(2), torch.zeros(2)
    quarter = _make_affine(zero, -one, one, zero, zero, zero)

    torch.testing.assert_close(_warp_images(images, [quarter] * 4), images, atol=1e-5, rtol=0)


def test_cutout_blacks_out_a_square_of_the_size_it_says():
    images, _ = augmented(("cutout:4",), torch.ones(200, 1, 20, 20))

    holes = (images == 0).flatten(1).sum(1)

    assert int(holes.max()) == 16
    assert int(holes.min()) >= 4


@pytest.mark.parametrize("mixing", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.2, "cutmix": 1.0}])
@pytest.mark.parametrize("seed", range(5))
def test_mixed_targets_sum_to_one(mixing, seed):
    images, targets = augmented((), seed=seed, **mixing)

    assert images.shape == (16, 3, 12, 10)
    assert targets.shape == (16, 4)
    torch.testing.assert_close(targets.sum(1), torch.ones(16))
    assert float(targets.min()) >= 0


@pytest.mark.parametrize("mixing", [{"mixup": 1.0}, {"cutmix": 1.0}])
@pytest.mark.parametrize("seed", range(8))
def test_mixed_targets_match_the_fraction_of_pixels(mixing, seed):
    labels = torch.arange(32) % 4
    colours = torch.eye(4)[labels].view(32, 4, 1, 1).expand(-1, -1, 10, 10)  # channel k is 1 where the class is k

    images, targets = augmented((), colours, seed=seed, labels=labels, **mixing)

    torch.testing.assert_close(images.mean((2, 3)), targets, atol=1e-5, rtol=0)


def test_an_augmentation_of_nothing_is_false():
    assert not Augment()
    assert Augment(("flip",))
    assert Augment(mixup=0.1, num_classes=2)


def test_mixing_without_a_number_of_classes_is_refused():
    with pytest.raises(ConfigError, match="num_classes"):
        Augment(mixup=0.4)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flipp", "did you mean flip"),
        ("", "no augmentation"),
        ("shift:-1", "above 0"),
        ("shift:much", "above 0"),
        ("rotate:inf", "above 0"),
        ("noise:nan", "above 0"),
        ("scale:1", "below 1"),
    ],
)
def test_an_unknown_name_or_strength_is_refused(name, words):
    with pytest.raises(ConfigError, match=words):
        Augment((name,))
