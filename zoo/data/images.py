"""Hold labelled images: one uint8 tensor, the labels and the class names."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zoo.data.lazy import CHUNK_SIZE, LazyImages, Pixels, iter_chunks
from zoo.data.transforms import make_resize
from zoo.errors import ImageError, LabelError, join_names
from zoo.seeding import make_generator
from zoo.signature import Classes


class Images:
    """Labelled images, in memory or on disk.

    Args:
        images: uint8 (N, C, H, W), 0 to 255: a tensor, or `zoo.data.lazy.LazyImages` that are read batch by batch.
        labels: int64 (N), class indices 0 to K - 1.
        classes: The K classes; numbered by default.
        name: Source of the images, such as `fashion-mnist-7x7/train`; subsets keep it.

    Raises:
        ImageError: `images` is not a uint8 tensor of shape (N, C, H, W) with N, C, H, W at least 1.
        LabelError: There is not one label per image, or a label is outside the classes.
    """

    def __init__(self, images: Pixels, labels: Tensor, classes: Classes | None = None, *, name: str = "") -> None:
        _check_images(images)
        _check_labels(labels, len(images))
        top = int(labels.max())
        self.images: Any = images  # a Tensor, or LazyImages for sets on disk
        self.labels = labels
        self.name = name
        self.classes = Classes.numbered(top + 1) if classes is None else classes
        if int(labels.min()) < 0 or top >= len(self.classes):
            raise LabelError(
                f"labels lie in {int(labels.min())}..{top}; "
                f"{len(self.classes)} classes have indices 0..{len(self.classes) - 1}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.images.shape[2], self.images.shape[3]

    @property
    def channels(self) -> int:
        """Channels of each image: 1 for grey, 3 for colour."""
        return int(self.images.shape[1])

    @property
    def counts(self) -> dict[str, int]:
        """Number of images per class, by class name."""
        numbers = torch.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes.names, numbers, strict=True))

    def __getitem__(self, index: int | slice | Sequence[int] | Tensor) -> Images:
        """Return the images at an index, slice, list or tensor of indices; an int gives a set of one."""
        if isinstance(index, int):
            index = [index]
        return Images(self.images[index], self.labels[index], self.classes, name=self.name)

    def take(self, num: int, *, seed: int | None = None) -> Images:
        """Return the first `num` images, or with a seed `num` images sampled without replacement.

        Raises:
            ImageError: `num` is below 1 or above the number of images.
        """
        if not 1 <= num <= len(self):
            raise ImageError(f"cannot take {num} of {len(self)} images")
        if seed is None:
            return self[:num]
        return self[torch.randperm(len(self), generator=make_generator(seed, "take"))[:num]]

    def split(self, fraction: float, *, strategy: str = "stratified", seed: int = 0) -> tuple[Images, Images]:
        """Split off about `fraction` of the images; return (remaining, split off), such as train and validation.

        Args:
            fraction: In (0, 1); both parts get at least one image.
            strategy: `stratified` takes `fraction` of every class; `random` of all images; `ordered` the last ones.
            seed: Seed of the choice.

        Raises:
            ImageError: `fraction` is out of range, or there are fewer than two images.
        """
        if not 0 < fraction < 1 or len(self) < 2:
            raise ImageError(f"cannot hold out a fraction of {fraction} of {len(self)} images; it is between 0 and 1")
        held_out = self._choose_held_out(fraction, strategy, seed)
        mask = torch.zeros(len(self), dtype=torch.bool)
        mask[held_out] = True
        return self[~mask], self[mask]

    def _choose_held_out(self, fraction: float, strategy: str, seed: int) -> Tensor:
        num = min(max(round(len(self) * fraction), 1), len(self) - 1)
        if strategy == "ordered":
            return torch.arange(len(self) - num, len(self))
        order = torch.randperm(len(self), generator=make_generator(seed, "split"))
        if strategy == "random":
            return order[:num]
        labels = self.labels.cpu()[order]
        members = [order[labels == k] for k in range(len(self.classes))]
        held_out = torch.cat([each[: round(len(each) * fraction)] for each in members])
        return (held_out if len(held_out) else order[:1])[: len(self) - 1]

    def resize(self, size: int | tuple[int, int], *, mode: str = "area") -> Images:
        """Return the images at another size; `mode` is explained at `zoo.signature.Preprocessing`."""
        return Images(make_resize(size, mode)(self.images), self.labels, self.classes, name=self.name)

    def to_grayscale(self) -> Images:
        """Return images of one channel by the luma weights of ITU-R BT.601, as Pillow does.

        Raises:
            ImageError: The images do not have 1 or 3 channels.
        """
        if self.channels == 1:
            return self
        if self.channels != 3:
            raise ImageError(f"to_grayscale() takes 3 channels, these images have {self.channels}")
        weights = torch.tensor([0.299, 0.587, 0.114], device=self.images.device).view(1, 3, 1, 1)
        grey = [(part * weights).sum(1, keepdim=True).round().to(torch.uint8) for part in self.images.split(CHUNK_SIZE)]
        return Images(torch.cat(grey), self.labels, self.classes, name=self.name)

    def moments(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the mean and the standard deviation of each channel, for images in [0, 1]."""
        levels = torch.arange(256, dtype=torch.float64) / 255
        counts = torch.zeros(self.channels, 256, dtype=torch.int64)
        for part in iter_chunks(self.images):
            counts += torch.stack([torch.bincount(c.flatten().long(), minlength=256) for c in part.unbind(1)])
        frequencies = counts.double() / counts.sum(1, keepdim=True)
        mean = frequencies @ levels
        std = (frequencies @ levels.square() - mean.square()).clamp_min(0).sqrt().clamp_min(1e-6)
        return tuple(mean.tolist()), tuple(std.tolist())

    def with_classes(self, classes: Classes) -> Images:
        """Return the images with labels that index other classes; classes are matched by value.

        Raises:
            LabelError: An image has a label that is not among `classes`.
        """
        if classes == self.classes:
            return self
        indices = {value: index for index, value in enumerate(classes.values)}
        table = torch.tensor([indices.get(value, -1) for value in self.classes.values])
        labels = table[self.labels.cpu()]
        if bool((labels < 0).any()):
            unknown = sorted({str(self.classes.values[k]) for k in self.labels.cpu()[labels < 0].tolist()})
            raise LabelError(
                f"label {join_names(unknown, 5)} is not one of the {len(classes)} classes: "
                f"{join_names(classes.values, 10)}"
            )
        return Images(self.images, labels.to(self.labels.device), classes, name=self.name)

    def to(self, device: torch.device | str) -> Images:
        """Return the images on a device."""
        if isinstance(self.images, LazyImages):  # its batches are moved one by one
            return self
        return Images(self.images.to(device), self.labels.to(device), self.classes, name=self.name)

    def fingerprint(self) -> str:
        """Return a sha256 of pixels, shape, labels and classes: equal for equal data sets."""
        digest = hashlib.sha256(repr((tuple(self.images.shape), self.classes)).encode())
        for part in itertools.chain(iter_chunks(self.images), [self.labels.cpu()]):
            digest.update(part.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def source_fingerprint(self) -> str:
        """Return a sha256 that identifies the set; of lazy images it hashes the files, without decoding them."""
        if not isinstance(self.images, LazyImages):
            return self.fingerprint()
        digest = hashlib.sha256(repr((tuple(self.images.shape), self.classes)).encode())
        for part in itertools.chain(self.images.iter_identity_bytes(), [self.labels.numpy().tobytes()]):
            digest.update(part)
        return digest.hexdigest()

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Images) and self.fingerprint() == other.fingerprint()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        height, width = self.size
        source = f" of {self.name}" if self.name else ""
        return f"<{len(self)} images{source}, {self.channels} x {height} x {width}, {len(self.classes)} classes>"


def _check_images(images: Pixels) -> None:
    if not isinstance(images, Tensor | LazyImages) or images.dtype != torch.uint8 or images.ndim != 4:
        raise ImageError(
            f"images are uint8 (N, C, H, W), not {_describe_value(images)}; zoo.data.as_images((X, y)) converts arrays"
        )
    if 0 in images.shape:
        raise ImageError(f"images of shape {tuple(images.shape)} are empty")


def _check_labels(labels: Tensor, num: int) -> None:
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64 or labels.ndim != 1:
        raise LabelError(f"labels are int64 (N), not {_describe_value(labels)}")
    if len(labels) != num:
        raise LabelError(f"there are {num} images and {len(labels)} labels; each image has one")


def _describe_value(value: object) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
