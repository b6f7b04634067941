"""Read each data set from where it lies, or fetch it through torchvision."""

from __future__ import annotations

from pathlib import Path

from zoo import Dataset
from zoo.data.readers import dataset_at, idx
from zoo.data.readers.archives import read_safetensors
from zoo.data.readers.locations import download_folder, found, found_or_told
from zoo.data.readers.torchvision import torchvision_dataset
from zoo.signature import Classes
from zoo_image_sets import CLOTHES, DIGITS

BUNDLED = Path(__file__).with_name("fashion-mnist-7x7.safetensors")


def fashion_mnist_7x7(*, download: bool = False) -> Dataset:
    """Return the shipped set; there is nothing to download. `shrink.py` beside it made it."""
    return read_safetensors(BUNDLED)


def fashion_mnist(*, download: bool = False) -> Dataset:
    """Return Fashion-MNIST at 28 x 28."""
    return _idx("fashion-mnist", "FashionMNIST", CLOTHES, download)


def mnist(*, download: bool = False) -> Dataset:
    """Return MNIST at 28 x 28."""
    return _idx("mnist", "MNIST", DIGITS, download)


def _idx(name: str, torchvision_name: str, names: tuple[str, ...], download: bool) -> Dataset:
    """Return an IDX set from its own folder or torchvision's `Name/raw`, fetched there when asked and missing."""
    folders = (name, f"{torchvision_name}/raw", torchvision_name)
    if download and found(folders, idx.is_whole) is None:  # a download that failed leaves a folder without its files
        torchvision_dataset(torchvision_name, root=download_folder(), download=True).train  # noqa: B018 - the look fetches
    folder, classes = (
        found(folders, idx.is_whole) or found_or_told(name, folders, has_download=True),
        Classes.of(range(10), names),
    )
    return Dataset(
        train=lambda: idx.read_folder(folder, "train", classes), test=lambda: idx.read_folder(folder, "test", classes)
    )


def cifar10_jpeg(*, download: bool = False) -> Dataset:
    """Return CIFAR-10 as JPEG, from its Parquet shards; it has no download."""
    return dataset_at(found_or_told("cifar10-jpeg", ("cifar10-jpeg",), has_download=False))
