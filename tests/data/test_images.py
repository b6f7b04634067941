from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from zoo import Images
from zoo.errors import ImageError, LabelError
from zoo.signature import Classes


def numbered(*counts: int) -> Images:
    """Return `counts[k]` images of each class k, shuffled; the pixels of each are its number."""
    labels = torch.cat([torch.full((count,), k) for k, count in enumerate(counts)])
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]
    return Images(torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1, 1), labels)


def read_numbers(images: Images) -> list[int]:
    return images.images.flatten().tolist()


def test_stratified_split_holds_out_the_fraction_of_every_class():
    rest, out = numbered(100, 50, 10).split(0.2)

    assert list(out.counts.values()) == [20, 10, 2]
    assert list(rest.counts.values()) == [80, 40, 8]


def test_random_split_holds_out_the_fraction_of_all():
    rest, out = numbered(100, 50, 10).split(0.25, strategy="random")

    assert (len(rest), len(out)) == (120, 40)


def test_ordered_split_holds_out_the_last_images():
    rest, out = numbered(30, 10).split(0.25, strategy="ordered")

    assert (read_numbers(rest), read_numbers(out)) == (list(range(30)), list(range(30, 40)))


@pytest.mark.parametrize("how", ["stratified", "random", "ordered"])
def test_a_split_is_disjoint_and_complete(how):
    rest, out = numbered(37, 21, 5).split(0.3, strategy=how, seed=3)

    assert sorted(read_numbers(rest) + read_numbers(out)) == list(range(63))


@pytest.mark.parametrize("how", ["stratified", "random"])
def test_the_seed_decides_the_split(how):
    images = numbered(60, 40)

    assert read_numbers(images.split(0.2, strategy=how, seed=1)[1]) == read_numbers(
        images.split(0.2, strategy=how, seed=1)[1]
    )
    assert read_numbers(images.split(0.2, strategy=how, seed=1)[1]) != read_numbers(
        images.split(0.2, strategy=how, seed=2)[1]
    )


@pytest.mark.parametrize("how", ["stratified", "random", "ordered"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_both_parts_of_a_split_keep_an_image(how, share):
    rest, out = numbered(1, 1, 1).split(share, strategy=how)

    assert len(rest) >= 1
    assert len(out) >= 1
    assert len(rest) + len(out) == 3


@pytest.mark.parametrize("share", [0, 1, -0.2, 1.5, float("nan")])
def test_a_fraction_outside_0_to_1_is_refused(share):
    with pytest.raises(ImageError, match="between 0 and 1"):
        numbered(5, 5).split(share)


def test_a_split_leaves_global_random_states_unchanged(small):
    before = torch.get_rng_state()

    small.split(0.2)
    small.take(5, seed=1)

    assert torch.equal(torch.get_rng_state(), before)


def test_take_without_a_seed_gives_the_first_images(small):
    assert torch.equal(small.take(7).images, small.images[:7])


def test_take_with_a_seed_samples_without_replacement():
    taken = read_numbers(numbered(50, 50).take(60, seed=4))

    assert len(set(taken)) == 60
    assert taken == read_numbers(numbered(50, 50).take(60, seed=4))
    assert taken != read_numbers(numbered(50, 50).take(60, seed=5))


@pytest.mark.parametrize("num", [0, -1, 201])
def test_taking_more_than_there_is_or_nothing_is_refused(small, num):
    with pytest.raises(ImageError, match="cannot take"):
        small.take(num)


def test_parts_keep_classes_and_name(bundled):
    part = bundled.test.take(3)

    assert part.classes == bundled.test.classes
    assert part.name == "fashion-mnist-7x7/test"


def test_an_index_gives_a_set_of_one(small):
    assert torch.equal(small[5].images, small.images[5:6])


@pytest.mark.parametrize("how", ["area", "sample"])
def test_resize_gives_the_size_and_leaves_labels(small, how):
    larger = small.resize((14, 10), mode=how)

    assert larger.size == (14, 10)
    assert larger.images.dtype == torch.uint8
    assert torch.equal(larger.labels, small.labels)


@pytest.mark.parametrize("how", ["area", "sample"])
def test_resize_of_a_constant_image_is_constant(how):
    images = Images(torch.full((2, 3, 9, 9), 77, dtype=torch.uint8), torch.tensor([0, 1]))

    assert (images.resize(4, mode=how).images == 77).all()


def test_resize_to_its_own_size_changes_nothing(small):
    assert small.resize(7) == small


@pytest.mark.parametrize(("size", "how"), [(0, "area"), (7, "nearest"), ((3, -1), "sample")])
def test_an_invalid_size_or_mode_is_refused(small, size, how):
    with pytest.raises(ImageError, match="cannot resize"):
        small.take(2).resize(size, mode=how)


def test_grayscale_is_that_of_pillow_within_one_level():
    pixels = torch.randint(256, (20, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    grey = Images(pixels, torch.zeros(20, dtype=torch.long)).to_grayscale().images

    for image, ours in zip(pixels, grey, strict=True):
        theirs = np.asarray(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L"))
        assert np.abs(theirs.astype(int) - ours[0].numpy().astype(int)).max() <= 1


def test_grayscale_of_grey_images_is_themselves(small):
    assert small.to_grayscale() is small


def test_grayscale_of_two_channels_is_refused():
    with pytest.raises(ImageError, match="takes 3 channels"):
        Images(torch.zeros(1, 2, 3, 3, dtype=torch.uint8), torch.tensor([0])).to_grayscale()


def test_moments_are_those_of_numpy():
    pixels = torch.randint(256, (30, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    mean, std = Images(pixels, torch.zeros(30, dtype=torch.long)).moments()

    levels = pixels.numpy().astype(np.float64) / 255
    np.testing.assert_allclose(mean, levels.mean((0, 2, 3)), rtol=1e-10)
    np.testing.assert_allclose(std, levels.std((0, 2, 3)), rtol=1e-10)


def test_the_standard_deviation_of_a_constant_channel_is_above_zero():
    _, std = Images(torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([0, 0])).moments()

    assert std[0] > 0


def test_equal_images_have_equal_fingerprints(small):
    copy = Images(small.images.clone(), small.labels.clone(), small.classes, name="a copy")

    assert copy.fingerprint() == small.fingerprint()
    assert copy == small


@pytest.mark.parametrize("change", ["pixel", "label", "class", "shape"])
def test_any_change_changes_the_fingerprint(small, change):
    images, labels, classes = small.images.clone(), small.labels.clone(), small.classes
    if change == "pixel":
        images[3, 0, 2, 2] ^= 1
    elif change == "label":
        labels[0] = (labels[0] + 1) % 10
    elif change == "class":
        classes = Classes.numbered(10)
    else:
        images = images.view(200, 1, 49, 1)

    assert Images(images, labels, classes) != small


def test_with_classes_matches_labels_by_value():
    ours = Images(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 1]), Classes.of(["cat", "dog"]))

    theirs = ours.with_classes(Classes.of(["bird", "dog", "cat"]))

    assert theirs.labels.tolist() == [2, 1, 1]


def test_with_classes_names_the_label_that_has_no_class():
    ours = Images(torch.zeros(2, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1]), Classes.of(["cat", "dog"]))

    with pytest.raises(LabelError, match=r"label dog is not one of the 2 classes: cat, bird"):
        ours.with_classes(Classes.of(["cat", "bird"]))


def test_counts_are_by_class_name_and_hold_empty_classes():
    images = Images(torch.zeros(2, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 0]), Classes.of(["a", "b"]))

    assert images.counts == {"a": 2, "b": 0}


@pytest.mark.parametrize(
    ("images", "labels", "error"),
    [
        (torch.zeros(2, 1, 3, 3), torch.tensor([0, 1]), ImageError),
        (torch.zeros(2, 3, 3, dtype=torch.uint8), torch.tensor([0, 1]), ImageError),
        (torch.zeros(0, 1, 3, 3, dtype=torch.uint8), torch.tensor([]).long(), ImageError),
        (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([0]), LabelError),
        (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([0.0, 1.0]), LabelError),
        (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([0, -1]), LabelError),
        (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), [0, 1], LabelError),
    ],
    ids=["float", "three axes", "empty", "few labels", "float labels", "negative label", "list"],
)
def test_images_are_checked_when_created(images, labels, error):
    with pytest.raises(error):
        Images(images, labels)
