"""Keep images on disk and read them batch by batch, behind the part of a tensor's interface that zoo needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

ImageReader = Callable[[Tensor], Tensor]
"""Indices int64 (B) -> images uint8 (B, C, H, W)."""
SHUFFLE_WINDOW = 8
"""Blocks that are shuffled together, where reading one image reads its whole block."""
CHUNK_SIZE = 4096
"""Images that are read, resized or augmented at once, so that a large set does not need a large float copy."""


class LazyImages:
    """Images (N, C, H, W) on disk, uint8.

    Args:
        read_images: Reads the images at the given indices.
        shape: N, C, H and W of all images that `read_images` can read.
        indices: Indices of those in this set, int64; all by default.
        blocks: Block of each image, int64 (N), if reading one image reads its whole block; else None.
        file_bytes: Yields the bytes that all images are decoded from, which identify the set; None if `read_images`
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
        """Return the images at the indices `index`, int64 (B), in memory; `dim` is 0."""
        assert dim == 0
        return self._read_images(index if self._indices is None else self._indices[index])

    def __getitem__(self, index: Any) -> Any:
        """Return one image (C, H, W) in memory, or several that stay on disk."""
        if isinstance(index, int):
            return self.index_select(0, torch.tensor([range(len(self))[index]]))[0]
        indices = torch.arange(self._full_shape[0]) if self._indices is None else self._indices
        indices = indices[index if not isinstance(index, list | tuple) else torch.tensor(list(index))]
        return LazyImages(
            self._read_images, self._full_shape, indices=indices, blocks=self._blocks, file_bytes=self._file_bytes
        )

    def iter_identity_bytes(self) -> Iterator[bytes]:
        """Yield bytes that differ whenever the images differ: those of their files, without decoding them."""
        if self._file_bytes is None:
            yield from (chunk.numpy().tobytes() for chunk in self.split(CHUNK_SIZE))
            return
        yield from self._file_bytes()
        if self._indices is not None:
            yield self._indices.numpy().tobytes()

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield all images in order, `size` at a time in memory."""
        for indices in torch.arange(len(self)).split(size):
            yield self.index_select(0, indices)

    def sample_order(self, generator: torch.Generator) -> Tensor:
        """Return a random order for an epoch: int64 (N).

        With blocks, the order goes through a few blocks at a time, so that each block is read once.
        """
        if self._blocks is None:
            return torch.randperm(len(self), generator=generator)
        blocks = self._blocks if self._indices is None else self._blocks[self._indices]
        ranks = torch.randperm(int(self._blocks.max()) + 1, generator=generator)
        windows = ranks[blocks] // SHUFFLE_WINDOW
        return torch.argsort(windows + torch.rand(len(self), generator=generator, dtype=torch.float64), stable=True)

    def to(self, device: torch.device | str) -> LazyImages:
        """Return itself: batches are moved one by one."""
        return self

    def cpu(self) -> LazyImages:
        """Return itself."""
        return self


Pixels = Tensor | LazyImages
"""Images (N, C, H, W), in memory or on disk."""


def iter_chunks(pixels: Pixels) -> Iterator[Tensor]:
    """Yield all images in order, `CHUNK_SIZE` at a time in memory on the CPU."""
    return (chunk.cpu() for chunk in pixels.split(CHUNK_SIZE))
