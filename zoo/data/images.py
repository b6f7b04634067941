"""A data set as one uint8 tensor with labels and class names."""

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
    """Labelled images, in memory or on the disk.

    Args:
        images: uint8 (N, C, H, W), 0 to 255: a tensor, or a `zoo.data.lazy.Distant` that is read batch by batch.
        labels: int64 (N), class indices 0 to K - 1.
        classes: The K classes; numbered when left out.
        name: Where they come from, such as `fashion-mnist-7x7/train`; parts keep it.

    Raises:
        ImageError: `images` is not a uint8 tensor of shape (N, C, H, W) with N, C, H, W at least 1.
        LabelError: There is not one label an image, or a label is outside the classes.
    """

    def __init__(self, images: Pixels, labels: Tensor, classes: Classes | None = None, *, name: str = "") -> None:
        _check_images(images)
        _check_labels(labels, len(images))
        top = int(labels.max())
        self.images: Any = images  # a Tensor for all but sets that stay on the disk
        self.labels = labels
        self.name = name
        self.classes = Classes.numbered(top + 1) if classes is None else classes
        if int(labels.min()) < 0 or top >= len(self.classes):
            known = f"{len(self.classes)} classes have indices 0..{len(self.classes) - 1}"
            raise LabelError(f"labels lie in {int(labels.min())}..{top}; {known}")

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
        """How many images each class has, by class name."""
        numbers = torch.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes.names, numbers, strict=True))

    def __getitem__(self, index: int | slice | Sequence[int] | Tensor) -> Images:
        """Return the chosen images; a number gives a set of one."""
        if isinstance(index, int):
            index = [index]
        return Images(self.images[index], self.labels[index], self.classes, name=self.name)

    def take(self, num: int, *, seed: int | None = None) -> Images:
        """Return the first `num` images, or `num` drawn without replacement when a seed is given."""
        if not 1 <= num <= len(self):
            raise ImageError(f"cannot take {num} of {len(self)} images")
        if seed is None:
            return self[:num]
        return self[torch.randperm(len(self), generator=make_generator(seed, "take"))[:num]]

    def split(self, fraction: float, *, strategy: str = "stratified", seed: int = 0) -> tuple[Images, Images]:
        """Return (rest, held out) with about `fraction` of the images held out.

        Args:
            fraction: In (0, 1); both parts keep at least one image.
            strategy: `stratified` holds out `fraction` of every class; `random` of all; `ordered` takes the last ones.
            seed: Seed of the draw.
        """
        if not 0 < fraction < 1 or len(self) < 2:
            raise ImageError(f"cannot hold out a share of {fraction} of {len(self)} images; it is between 0 and 1")
        held = self._choose_held_out(fraction, strategy, seed)
        mask = torch.zeros(len(self), dtype=torch.bool)
        mask[held] = True
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
        held = torch.cat([each[: round(len(each) * fraction)] for each in members])
        return (held if len(held) else order[:1])[: len(self) - 1]

    def resize(self, size: int | tuple[int, int], *, mode: str = "area") -> Images:
        """Return the images at another size; `mode` is explained at `zoo.signature.Preprocessing`."""
        return Images(make_resize(size, mode)(self.images), self.labels, self.classes, name=self.name)

    def to_grayscale(self) -> Images:
        """Return one-channel images by the luma weights of ITU-R BT.601, as Pillow does."""
        if self.channels == 1:
            return self
        if self.channels != 3:
            raise ImageError(f"grayscale takes 3 channels, these images have {self.channels}")
        weights = torch.tensor([0.299, 0.587, 0.114], device=self.images.device).view(1, 3, 1, 1)
        grey = [(part * weights).sum(1, keepdim=True).round().to(torch.uint8) for part in self.images.split(CHUNK_SIZE)]
        return Images(
            torch.cat(grey),
            self.labels,
            self.classes,
            name=self.name,
        )

    def moments(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return mean and standard deviation of each channel, for images in [0, 1]."""
        levels = torch.arange(256, dtype=torch.float64) / 255
        counts = torch.zeros(self.channels, 256, dtype=torch.int64)
        for part in iter_chunks(self.images):
            counts += torch.stack([torch.bincount(c.flatten().long(), minlength=256) for c in part.unbind(1)])
        share = counts.double() / counts.sum(1, keepdim=True)
        mean = share @ levels
        std = (share @ levels.square() - mean.square()).clamp_min(0).sqrt().clamp_min(1e-6)
        return tuple(mean.tolist()), tuple(std.tolist())

    def with_classes(self, classes: Classes) -> Images:
        """Return the images with labels as indices into other classes, matched by value.

        Raises:
            LabelError: An image has a label that is not among `classes`.
        """
        if classes == self.classes:
            return self
        place = {value: index for index, value in enumerate(classes.values)}
        table = torch.tensor([place.get(value, -1) for value in self.classes.values])
        labels = table[self.labels.cpu()]
        if bool((labels < 0).any()):
            strange = sorted({str(self.classes.values[k]) for k in self.labels.cpu()[labels < 0].tolist()})
            raise LabelError(
                f"label {join_names(strange, 5)} is none of the {len(classes)} classes: {join_names(classes.values, 10)}"
            )
        return Images(self.images, labels.to(self.labels.device), classes, name=self.name)

    def to(self, device: torch.device | str) -> Images:
        """Return the images on a device."""
        if isinstance(self.images, LazyImages):  # its batches are moved one by one
            return self
        return Images(self.images.to(device), self.labels.to(device), self.classes, name=self.name)

    def fingerprint(self) -> str:
        """Return a sha256 over pixels, shape, labels and classes: equal data sets have equal ones."""
        digest = hashlib.sha256(repr((tuple(self.images.shape), self.classes)).encode())
        for part in itertools.chain(iter_chunks(self.images), [self.labels.cpu()]):
            digest.update(part.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def source_fingerprint(self) -> str:
        """Return a sha256 that another set has not; of pictures on the disk over their files, which are not decoded."""
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
        named = f" of {self.name}" if self.name else ""
        return f"<{len(self)} images{named}, {self.channels} x {height} x {width}, {len(self.classes)} classes>"


def _check_images(images: Pixels) -> None:
    if not isinstance(images, Tensor | LazyImages) or images.dtype != torch.uint8 or images.ndim != 4:
        told = f"{images.dtype} {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
        raise ImageError(f"images are uint8 (N, C, H, W), not {told}; zoo.data.images_of((X, y)) converts arrays")
    if 0 in images.shape:
        raise ImageError(f"images of shape {tuple(images.shape)} are empty")


def _check_labels(labels: Tensor, num: int) -> None:
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64 or labels.ndim != 1:
        told = f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, Tensor) else type(labels).__name__
        raise LabelError(f"labels are int64 (N), not {told}")
    if len(labels) != num:
        raise LabelError(f"there are {num} images and {len(labels)} labels; each image has one")
