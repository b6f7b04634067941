"""Serve images in batches: each epoch is a permutation of one tensor, cut into slices."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.data.images import Images
from zoo.data.lazy import LazyImages
from zoo.errors import ConfigError, SourceError
from zoo.seeding import derive_seed, make_generator
from zoo.signature import Classes

GATHER_BYTES = 2**19
"""Bytes of images gathered at once, so that small batches share one call and large ones stay in the CPU's cache."""
Augmentation = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(images, labels, generator) -> (images, targets)."""


class Batch(NamedTuple):
    """Images (B, C, H, W), uint8 or float in [0, 1], and targets: int64 (B), or float (B, K) when classes are mixed."""

    images: Tensor
    targets: Tensor


class Loader:
    """Batches of `Images`, on the device the images are on, without worker processes.

    Epoch `e` depends on `seed` and `e` alone. Each process takes its own part of every global batch, so that all
    processes together see each image once per epoch.

    Args:
        images: The images to serve.
        batch_size: Images per batch on each process.
        shuffle: Use a new random order each epoch.
        seed: Seed of order and augmentation.
        augment: Batched augmentation, such as `zoo.data.augment.Augment(("flip",))`.
        drop_last: Leave out a last batch that is not full.

    Raises:
        SourceError: `images` is not `Images`.
        ConfigError: `batch_size` is not a whole number of at least 1.
    """

    def __init__(
        self,
        images: Images,
        *,
        batch_size: int = 64,
        shuffle: bool = True,
        seed: int = 0,
        augment: Augmentation | None = None,
        drop_last: bool = False,
    ) -> None:
        if not isinstance(images, Images):
            raise SourceError(
                f"a Loader serves Images, not {type(images).__name__}; convert the source with zoo.data.as_images"
            )
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError(f"batch_size is a whole number of at least 1, not {batch_size!r}")
        self.images = images
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.augment = augment
        self.drop_last = drop_last

    @property
    def classes(self) -> Classes:
        """The classes of the images."""
        return self.images.classes

    def to(self, device: torch.device | str) -> Loader:
        """Return the same loader with the images on a device."""
        return Loader(
            self.images.to(device),
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            seed=self.seed,
            augment=self.augment,
            drop_last=self.drop_last,
        )

    def num_batches(self, world_size: int = 1) -> int:
        """Return the number of batches per epoch on each of `world_size` processes.

        Remaining images join the last batch if they are too few for one more batch on each process.
        """
        num_full, num_remaining = divmod(len(self.images), self.batch_size * world_size)
        return num_full + int(num_remaining >= world_size and not self.drop_last)

    def __len__(self) -> int:
        return self.num_batches()

    def iter_epoch(self, epoch: int, *, rank: int = 0, world_size: int = 1, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch for process `rank` of `world_size`, beginning with batch `start`.

        Raises:
            ConfigError: There are too few images for a batch on each process.
        """
        steps = self.num_batches(world_size)
        if steps == 0:
            raise ConfigError(self._describe_too_few(world_size))
        generator = torch.Generator(device=self.images.images.device)
        indices = self._epoch_indices(epoch, steps, rank, world_size)[start:]
        for step, batch in enumerate(self._gather_batches(indices), start=start):
            if self.augment is not None:
                generator.manual_seed(derive_seed(self.seed, "augment", epoch, step, rank))
                batch = Batch(*self.augment(*batch, generator))
            yield batch

    def _describe_too_few(self, world_size: int) -> str:
        least = (
            f"drop_last takes at least {self.batch_size * world_size}"
            if self.drop_last
            else f"{world_size} processes take at least {world_size}"
        )
        return f"{len(self.images)} images make no batch: {least}; lower batch_size or give more images"

    def _epoch_indices(self, epoch: int, steps: int, rank: int, world_size: int) -> list[Tensor]:
        """Return the image indices of each batch of process `rank` of `world_size`."""
        order = self._epoch_order(epoch).to(self.images.images.device)
        stride = self.batch_size * world_size
        if self.drop_last:
            order = order[: steps * stride]
        parts = [*order[: (steps - 1) * stride].split(stride), order[(steps - 1) * stride :]]
        parts = parts if steps > 1 else parts[-1:]
        return parts if world_size == 1 else [part.tensor_split(world_size)[rank] for part in parts]

    def _gather_batches(self, batch_indices: list[Tensor]) -> Iterator[Batch]:
        """Yield the batches at these indices; several small batches are gathered at once and then split."""
        pixels, labels = self.images.images, self.images.labels
        num_at_once = max(1, GATHER_BYTES // (self.batch_size * pixels[0].numel()))
        for first in range(0, len(batch_indices), num_at_once):
            group = batch_indices[first : first + num_at_once]
            indices, sizes = torch.cat(group), [part.shape[0] for part in group]
            pairs = zip(
                pixels.index_select(0, indices).split(sizes), labels.index_select(0, indices).split(sizes), strict=True
            )
            yield from itertools.starmap(Batch, pairs)

    def global_batch_size(self, step: int, world_size: int = 1) -> int:
        """Return the size of batch `step` over all processes; the last batch has the remaining images."""
        stride = self.batch_size * world_size
        is_remainder = step == self.num_batches(world_size) - 1 and not self.drop_last
        return len(self.images) - step * stride if is_remainder else stride

    def batch_indices(self, epoch: int, step: int, *, rank: int = 0, world_size: int = 1) -> Tensor:
        """Return the indices in `images` of a batch's images: int64 (B)."""
        return self._epoch_indices(epoch, self.num_batches(world_size), rank, world_size)[step]

    def _epoch_order(self, epoch: int) -> Tensor:
        if not self.shuffle:
            return torch.arange(len(self.images))
        generator, pixels = make_generator(self.seed, "order", epoch), self.images.images
        if isinstance(pixels, LazyImages):
            return pixels.sample_order(generator)
        return torch.randperm(len(self.images), generator=generator)

    def __iter__(self) -> Iterator[Batch]:
        return self.iter_epoch(0)

    def __repr__(self) -> str:
        return f"<loader of {self.images!r}, {len(self)} batches of {self.batch_size}>"
