"""Images that stay on the disk: what `Images` and `Loader` need of a tensor, read batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

ImageReader = Callable[[Tensor], Tensor]
"""Places int64 (B) to images uint8 (B, C, H, W)."""
SHUFFLE_WINDOW = 8
"""Blocks that are shuffled together where reading one image reads its whole block."""
CHUNK_SIZE = 4096
"""Images read, resized or changed at once, so that a large set needs no large float copy."""


class LazyImages:
    """Images (N, C, H, W) on the disk, uint8.

    Args:
        read_images: Reads the images at some places.
        shape: N, C, H and W of all that `read` can read.
        indices: Which of them these are, int64; all when left out.
        blocks: Which block each of all lies in, int64, where reading one image reads its block; None where it does not.
        file_bytes: Yields the bytes that all are decoded from, by which one set is told from another; None where `read`
            decodes nothing.
    """

    dtype = torch.uint8
    device = torch.device("cpu")
    ndim = 4

    def __init__(
        self,
        read_images: ImageReader,
        shape: tuple[int, int, int, int],
        *,
        indices: Tensor | None = None,
        blocks: Tensor | None = None,
        file_bytes: Callable[[], Iterator[bytes]] | None = None,
    ) -> None:
        self._read_images, self._full_shape, self._indices, self._blocks = read_images, shape, indices, blocks
        self._file_bytes = file_bytes
        num = shape[0] if indices is None else len(indices)
        self.shape = torch.Size((num, *shape[1:]))

    def __len__(self) -> int:
        return self.shape[0]

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """Return the images at some places, in memory."""
        assert dim == 0
        return self._read_images(index if self._indices is None else self._indices[index])

    def __getitem__(self, index: Any) -> Any:
        """Return one image (C, H, W) in memory, or some that stay on the disk."""
        if isinstance(index, int):
            return self.index_select(0, torch.tensor([range(len(self))[index]]))[0]
        places = torch.arange(self._full_shape[0]) if self._indices is None else self._indices
        chosen = places[index if not isinstance(index, list | tuple) else torch.tensor(list(index))]
        return LazyImages(
            self._read_images, self._full_shape, indices=chosen, blocks=self._blocks, file_bytes=self._file_bytes
        )

    def iter_identity_bytes(self) -> Iterator[bytes]:
        """Yield bytes that are others where the images are: those of their files, which need no decoding."""
        if self._file_bytes is None:
            yield from (chunk.numpy().tobytes() for chunk in self.split(CHUNK_SIZE))
            return
        yield from self._file_bytes()
        if self._indices is not None:
            yield self._indices.numpy().tobytes()

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield all images in order, so many at once in memory."""
        for places in torch.arange(len(self)).split(size):
            yield self.index_select(0, places)

    def sample_order(self, generator: torch.Generator) -> Tensor:
        """Return an order for an epoch: any, or one that reads few blocks at a time, and each block once."""
        if self._blocks is None:
            return torch.randperm(len(self), generator=generator)
        blocks = self._blocks if self._indices is None else self._blocks[self._indices]
        turns = torch.randperm(int(self._blocks.max()) + 1, generator=generator)
        windows = turns[blocks] // SHUFFLE_WINDOW
        return torch.argsort(windows + torch.rand(len(self), generator=generator, dtype=torch.float64), stable=True)

    def to(self, device: torch.device | str) -> LazyImages:
        """Return itself: its batches are moved, one by one."""
        return self

    def cpu(self) -> LazyImages:
        """Return itself."""
        return self


Pixels = Tensor | LazyImages
"""Images (N, C, H, W), in memory or on the disk."""


def iter_chunks(pixels: Pixels) -> Iterator[Tensor]:
    """Yield all images in order, some at once in memory on the CPU."""
    return (chunk.cpu() for chunk in pixels.split(CHUNK_SIZE))
