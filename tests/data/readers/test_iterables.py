from __future__ import annotations

from itertools import count

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, TensorDataset
from torchvision.datasets import FakeData
from torchvision.transforms import ToTensor

from zoo.data import as_images
from zoo.data.readers import is_restartable, iterables
from zoo.errors import ImageError, LabelError, SourceError

LEVELS = torch.randint(256, (6, 1, 5, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


class Pairs(torch.utils.data.Dataset):
    """A map-style data set of `(image, label)` that counts the reads of each item."""

    def __init__(self, images, labels, classes=None):
        self.images, self.labels, self.reads = images, labels, 0
        if classes is not None:
            self.classes = classes

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        self.reads += 1
        return self.images[index], self.labels[index]


class Flow(IterableDataset):
    def __iter__(self):
        return iter(zip(LEVELS, LABELS.tolist(), strict=True))


class SizedFlow(Flow):
    def __len__(self):
        return 6


@pytest.mark.parametrize(
    "make",
    [
        lambda: TensorDataset(LEVELS, LABELS),
        lambda: Pairs(LEVELS, LABELS.tolist()),
        lambda: Pairs(LEVELS / 255, LABELS.numpy()),
        lambda: Pairs([Image.fromarray(image[0].numpy()) for image in LEVELS], LABELS.tolist()),
        lambda: Pairs(LEVELS[:, 0].numpy(), LABELS.tolist()),
        lambda: list(zip(LEVELS, LABELS.tolist(), strict=True)),
        lambda: zip(LEVELS, LABELS.tolist(), strict=True),
        lambda: ((LEVELS[part], LABELS[part]) for part in (slice(0, 4), slice(4, 6))),
        lambda: ((LEVELS[part].numpy(), LABELS[part].tolist()) for part in (slice(0, 1), slice(1, 6))),
        Flow,
        SizedFlow,
        lambda: DataLoader(Flow(), batch_size=4),
    ],
    ids=[
        *("tensors", "pairs", "floats", "pictures", "arrays", "list", "zip", "batches", "array batches"),
        *("iterable data set", "sized iterable data set", "loader of an iterable data set"),
    ],
)
def test_every_form_of_the_same_pairs_gives_the_same_images(make):
    images = as_images(make())

    assert torch.equal(images.images, LEVELS)
    assert torch.equal(images.labels, LABELS)


def test_a_data_set_is_read_once():
    pairs = Pairs(LEVELS, LABELS.tolist())

    as_images(pairs)

    assert pairs.reads == 6


def test_class_names_come_with_the_data_set():
    images = as_images(Pairs(LEVELS, LABELS.tolist(), ["ant", "bee", "cow", "dog"]))

    assert images.classes.names == ("ant", "bee", "cow", "dog")
    assert images.classes.values == (0, 1, 2, 3)


def test_string_labels_are_the_classes():
    images = as_images(Pairs(LEVELS, ["b", "a", "b", "b", "a", "b"]))

    assert images.classes.values == ("a", "b")


def test_a_batch_may_have_string_labels():
    assert as_images(iter([(LEVELS, ["b", "a", "b", "b", "a", "b"])])).classes.values == ("a", "b")


@pytest.mark.parametrize("transform", [None, ToTensor()], ids=["pictures", "tensors"])
def test_a_torchvision_data_set_is_read_through_its_transforms(transform):
    fake = FakeData(5, image_size=(3, 6, 7), num_classes=4, transform=transform)

    images = as_images(fake)

    for index in range(5):
        picture, label = FakeData(5, image_size=(3, 6, 7), num_classes=4)[index]
        assert np.array_equal(images.images[index].permute(1, 2, 0).numpy(), np.asarray(picture))
        assert images.classes.values[int(images.labels[index])] == int(label)


def test_a_data_loader_is_streamed_and_other_sources_are_read():
    assert is_restartable(DataLoader(TensorDataset(LEVELS, LABELS)))
    assert not is_restartable(TensorDataset(LEVELS, LABELS))
    assert not is_restartable(DataLoader(Flow()))


def endless():
    return ((torch.zeros(1, 4, 4), number % 2) for number in count())


class EndlessLoader:
    def __iter__(self):
        return endless()


@pytest.mark.parametrize("make", [endless, EndlessLoader], ids=["generator", "loader without a length"])
@pytest.mark.parametrize("limit", ["MAX_IMAGES", "MAX_BYTES"])
def test_an_endless_iterable_is_an_error(monkeypatch, make, limit):
    monkeypatch.setattr(iterables, limit, 100)

    with pytest.raises(SourceError, match=r"has not ended; .*itertools\.islice"):
        as_images(make())


def test_a_generator_that_gives_nothing_is_an_error():
    with pytest.raises(SourceError, match="the generator gives no images: it is empty, or an iterator that is used up"):
        as_images(pair for pair in [])


def test_a_used_up_iterator_is_an_error():
    pairs = iter(list(zip(LEVELS, LABELS.tolist(), strict=True)))
    as_images(pairs)

    with pytest.raises(SourceError, match="used up"):
        as_images(pairs)


def test_images_of_two_sizes_are_named():
    with pytest.raises(ImageError, match=r"image 1 is 6 x 6 .* image 0 is 5 x 5"):
        as_images([(torch.zeros(1, 5, 5), 0), (torch.zeros(1, 6, 6), 1)])


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ([1, 2], SourceError, "gives int items; zoo reads pairs"),
        (np.zeros((4, 5, 5)), SourceError, "gives ndarray items; zoo reads pairs"),
        ([(LEVELS[0], 0, 1)], SourceError, "zoo reads pairs"),
        ([(LEVELS[0] * float("nan"), 0)], ImageError, "the list: images hold NaN"),
        ([("a.png", 0)], ImageError, "the list: images are numbers"),
        ([(LEVELS, [0, 1])], ImageError, "6 images with 2 labels"),
        ([(LEVELS, count())], ImageError, "labels"),
        ([(LEVELS[0], 0.5)], LabelError, "one class per image"),
        ([(LEVELS[0], None)], LabelError, "whole numbers"),
        ([(LEVELS[0], 0), (LEVELS[1], "a")], LabelError, "whole numbers"),
        (Pairs(LEVELS, LABELS.tolist(), ["a", "b"]), LabelError, "2 class names"),
        ({"images": LEVELS, "labels": LABELS}, SourceError, r"give \(X, y\)"),
        (5, SourceError, "a int is not images"),
        (None, SourceError, "not images"),
        ([], SourceError, "gives no images"),
        ((), SourceError, "gives no images"),
    ],
    ids=[
        *("numbers", "an array alone", "triples", "NaN", "paths", "few labels", "endless labels", "float label"),
        *("None label", "mixed labels", "few names", "dict", "int", "None", "empty list", "empty tuple"),
    ],
)
def test_what_cannot_be_read_says_why(source, error, words):
    with pytest.raises(error, match=words):
        as_images(source)
