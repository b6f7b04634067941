"""Images that stay on the disk: what `Images` and `Loader` need of a tensor, read batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

Read = Callable[[Tensor], Tensor]
"""Places int64 (B) to images uint8 (B, C, H, W)."""
WINDOW = 8
"""Blocks that are shuffled together where reading one image reads its whole block."""
CHUNK = 4096
"""Images read at once where all are."""


class Distant:
    """Images (N, C, H, W) on the disk, uint8.

    Args:
        read: Reads the images at some places.
        shape: N, C, H and W of all that `read` can read.
        places: Which of them these are, int64; all when left out.
        blocks: Which block each of all lies in, int64, where reading one image reads its block; None where it does not.
        source: Yields the bytes that all are decoded from, by which one set is told from another; None where `read`
            decodes nothing.
    """

    dtype = torch.uint8
    device = torch.device("cpu")
    ndim = 4

    def __init__(
        self,
        read: Read,
        shape: tuple[int, int, int, int],
        *,
        places: Tensor | None = None,
        blocks: Tensor | None = None,
        source: Callable[[], Iterator[bytes]] | None = None,
    ) -> None:
        self._read, self._whole, self._places, self._blocks = read, shape, places, blocks
        self._source = source
        num = shape[0] if places is None else len(places)
        self.shape = torch.Size((num, *shape[1:]))

    def __len__(self) -> int:
        return self.shape[0]

    def index_select(self, dim: int, places: Tensor) -> Tensor:
        """Return the images at some places, in memory."""
        assert dim == 0
        return self._read(places if self._places is None else self._places[places])

    def __getitem__(self, index: Any) -> Any:
        """Return one image (C, H, W) in memory, or some that stay on the disk."""
        if isinstance(index, int):
            return self.index_select(0, torch.tensor([range(len(self))[index]]))[0]
        places = torch.arange(self._whole[0]) if self._places is None else self._places
        chosen = places[index if not isinstance(index, list | tuple) else torch.tensor(list(index))]
        return Distant(self._read, self._whole, places=chosen, blocks=self._blocks, source=self._source)

    def told_apart(self) -> Iterator[bytes]:
        """Yield bytes that are others where the images are: those of their files, which need no decoding."""
        if self._source is None:
            yield from (chunk.numpy().tobytes() for chunk in self.split(CHUNK))
            return
        yield from self._source()
        if self._places is not None:
            yield self._places.numpy().tobytes()

    def split(self, size: int) -> Iterator[Tensor]:
        """Yield all images in order, so many at once in memory."""
        for places in torch.arange(len(self)).split(size):
            yield self.index_select(0, places)

    def order(self, draws: torch.Generator) -> Tensor:
        """Return an order for an epoch: any, or one that reads few blocks at a time, and each block once."""
        if self._blocks is None:
            return torch.randperm(len(self), generator=draws)
        blocks = self._blocks if self._places is None else self._blocks[self._places]
        turns = torch.randperm(int(self._blocks.max()) + 1, generator=draws)
        windows = turns[blocks] // WINDOW
        return torch.argsort(windows + torch.rand(len(self), generator=draws, dtype=torch.float64), stable=True)

    def to(self, device: torch.device | str) -> Distant:
        """Return itself: its batches are moved, one by one."""
        return self

    def cpu(self) -> Distant:
        """Return itself."""
        return self


Pixels = Tensor | Distant
"""Images (N, C, H, W), in memory or on the disk."""


def chunks(pixels: Pixels) -> Iterator[Tensor]:
    """Yield all images in order, some at once in memory on the CPU."""
    return (chunk.cpu() for chunk in pixels.split(CHUNK))
