"""Read each data set from a local folder, or download it with torchvision."""

from __future__ import annotations

from pathlib import Path

from zoo import Dataset
from zoo.data.readers import idx, read_dataset
from zoo.data.readers.archives import read_safetensors
from zoo.data.readers.locations import find_folder, get_download_folder, require_folder
from zoo.data.readers.torchvision import read_torchvision
from zoo.signature import Classes
from zoo_image_sets import CLOTHES, DIGITS

BUNDLED = Path(__file__).with_name("fashion-mnist-7x7.safetensors")


def fashion_mnist_7x7(*, download: bool = False) -> Dataset:
    """Return the shipped data set, which `shrink.py` in this package wrote. There is nothing to download."""
    return read_safetensors(BUNDLED)


def fashion_mnist(*, download: bool = False) -> Dataset:
    """Return Fashion-MNIST at 28 x 28."""
    return _read_idx("fashion-mnist", "FashionMNIST", CLOTHES, download)


def mnist(*, download: bool = False) -> Dataset:
    """Return MNIST at 28 x 28."""
    return _read_idx("mnist", "MNIST", DIGITS, download)


def _read_idx(name: str, torchvision_name: str, class_names: tuple[str, ...], download: bool) -> Dataset:
    """Return an IDX data set from its own folder or from torchvision's `Name/raw`, and download it if it is missing."""
    folders = (name, f"{torchvision_name}/raw", torchvision_name)
    if download and find_folder(folders, idx.is_complete) is None:  # a failed download leaves an incomplete folder
        read_torchvision(torchvision_name, root=get_download_folder(), download=True).train  # noqa: B018 - downloads
    folder = find_folder(folders, idx.is_complete) or require_folder(name, folders, downloadable=True)
    classes = Classes.of(range(10), class_names)
    return Dataset(
        train=lambda: idx.read_idx_folder(folder, "train", classes),
        test=lambda: idx.read_idx_folder(folder, "test", classes),
    )


def cifar10_jpeg(*, download: bool = False) -> Dataset:
    """Return CIFAR-10 as JPEG from its Parquet shards. It cannot be downloaded."""
    return read_dataset(require_folder("cifar10-jpeg", ("cifar10-jpeg",), downloadable=False))
