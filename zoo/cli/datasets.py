"""Data sets as commands read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.data import Dataset, Images


def load_dataset(data: str, size: Any, resize: str, lazy: bool = False) -> Dataset:
    """Load a data set by its name, or from a folder or file.

    Images of a folder or file are resized to the model's size as they are read.
    """
    from zoo.api import dataset
    from zoo.saving.reference import is_path_reference

    if is_path_reference(data):
        return dataset(data, size=size, resize=resize, lazy=lazy)
    return dataset(data, lazy=lazy)


def get_test_images(dataset: Dataset) -> Images | None:
    """Return the test images of a data set, or None if it has none."""
    from zoo.errors import SourceError

    try:
        return dataset.test
    except SourceError:
        return None
