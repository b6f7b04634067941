"""Offer data sets of small images: Fashion-MNIST (also at 7 x 7, shipped with zoo), MNIST, CIFAR-10 as JPEG."""

from __future__ import annotations

from zoo import DatasetSpec, hookimpl

zoo_api = 1

CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
DIGITS = tuple(str(digit) for digit in range(10))
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COUNTS = {"train": 60_000, "test": 10_000}
FASHION_SOURCE = "Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747"


DATASETS = (
    DatasetSpec(
        name="fashion-mnist-7x7",
        summary="70,000 grey images of clothes, resized to 7 x 7 as in paper 1; ships with zoo",
        build="zoo_image_sets.readers:fashion_mnist_7x7",
        classes=CLOTHES,
        size=(7, 7),
        channels=1,
        counts=COUNTS,
        license="MIT",
        source=FASHION_SOURCE,
        bundled=True,
        tags=("clothes", "grey"),
    ),
    DatasetSpec(
        name="fashion-mnist",
        summary="70,000 grey images of clothes, 28 x 28",
        build="zoo_image_sets.readers:fashion_mnist",
        classes=CLOTHES,
        size=(28, 28),
        channels=1,
        counts=COUNTS,
        license="MIT",
        source=FASHION_SOURCE,
        tags=("clothes", "grey"),
    ),
    DatasetSpec(
        name="mnist",
        summary="70,000 grey images of handwritten digits, 28 x 28",
        build="zoo_image_sets.readers:mnist",
        classes=DIGITS,
        size=(28, 28),
        channels=1,
        counts=COUNTS,
        license="CC-BY-SA-3.0",
        source="LeCun, Cortes, Burges 1998",
        tags=("digits", "grey"),
    ),
    DatasetSpec(
        name="cifar10-jpeg",
        summary="60,000 colour images of objects and animals, 32 x 32; JPEG of quality 75, not the lossless CIFAR-10",
        build="zoo_image_sets.readers:cifar10_jpeg",
        classes=THINGS,
        size=(32, 32),
        channels=3,
        counts={"train": 50_000, "test": 10_000},
        license="unstated; Krizhevsky 2009",
        source="Krizhevsky 2009, Learning multiple layers of features from tiny images",
        tags=("things", "colour"),
    ),
)


@hookimpl
def zoo_datasets() -> tuple[DatasetSpec, ...]:
    """Return the data sets."""
    return DATASETS
