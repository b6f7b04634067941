"""Hold a named data set: its training and test images, each read on first access."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from zoo.data.images import Images


class Dataset:
    """Training and test images.

    Args:
        train: Returns the training images; called once, on first access.
        test: Returns the test images; called once, on first access.
        name: The name in the registry `zoo.datasets`.
    """

    def __init__(self, *, train: Callable[[], Images], test: Callable[[], Images], name: str = "") -> None:
        self.name = name
        self._train = train
        self._test = test

    @cached_property
    def train(self) -> Images:
        """The training images."""
        return self._with_name(self._train(), "train")

    @cached_property
    def test(self) -> Images:
        """The test images."""
        return self._with_name(self._test(), "test")

    def _with_name(self, images: Images, part: str) -> Images:
        return Images(images.images, images.labels, images.classes, name=f"{self.name}/{part}" if self.name else part)

    def __repr__(self) -> str:
        return f"<data set {self.name or 'without a name'}: train and test>"
