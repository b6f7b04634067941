"""Write a grid of generated images after each epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.data.arrays import to_uint8_images
from zoo.data.image_files import write_grid
from zoo.errors import ConfigError
from zoo.seeding import make_generator
from zoo.tasks.generation import make_codes, one_hot, unwrap
from zoo.training.callbacks import Training


class Grids:
    """Write `epoch-001.png`, ... into a folder: images from the same noise after each epoch, one column per class.

    Args:
        folder: Where to write; it is created if needed.
        rows: Rows of the grid.
        columns: Columns of the grid; by default the number of classes, or 10 without classes.
        seed: Seed of the noise.
    """

    def __init__(self, folder: str | Path, *, rows: int = 8, columns: int | None = None, seed: int = 0) -> None:
        if rows < 1 or (columns is not None and columns < 1):
            raise ConfigError(f"a grid has at least one row and one column, not {rows} and {columns}")
        self.folder, self._rows, self._columns, self._seed = Path(folder), rows, columns, seed

    def on_step(self, training: Training) -> None:
        """Do nothing."""

    def on_epoch(self, training: Training) -> None:
        """Write the epoch's grid.

        Raises:
            ConfigError: The model is not a generator.
        """
        if "generator" not in training.scored:
            raise ConfigError(
                "sample grids show the images of a generator, and this model is a classifier; leave them out"
            )
        net: Any = unwrap(training.scored["generator"])
        self.folder.mkdir(parents=True, exist_ok=True)
        columns = self._columns or net.num_labels or 10
        write_grid(self._sample(net, columns), self.folder / f"epoch-{training.epoch:03d}.png", columns=columns)

    def _sample(self, net: Any, columns: int) -> Tensor:
        """Return images uint8 (N, C, H, W) of the fixed noise; the generator keeps its mode."""
        weight, mode = next(net.parameters()), net.training
        labels = one_hot(torch.arange(self._rows * columns) % max(net.num_labels, 1), net)
        codes = make_codes(labels.float().cpu(), net, make_generator(self._seed, "grid")).to(weight)
        with torch.no_grad():
            images = net.eval()(codes).float().cpu()
        net.train(mode)
        return to_uint8_images((images / 2 + 0.5).clamp(0, 1))
