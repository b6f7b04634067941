"""One row run with one seed, and the file of those that are done."""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import WeightsError
from zoo.files import atomic


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One row of a table, run with one seed.

    Args:
        row: The row's label.
        seed: Seed of weights, order and augmentation.
        metrics: Scores by name: of a classifier test accuracy, negative log-likelihood in nats and calibration error,
            and what the row's `score` found.
        history: Rows of the training history.
        parameters: Number of weights.
        seconds: Wall time of `fit`.
        device: What it ran on, with the number of threads.
        versions: Versions the result depends on.
        weights: sha256 of the trained weights.
        recipe: The whole recipe.
        inputs: What else the result depends on; see `zoo.experiment.freshness`.
        confusion: confusion[i][j] test images of class i were taken for class j; empty for generators.
        answers: One number for each test image by name, packed; see `unpack_answers`.
        quick: Whether it was cut short, only to see that it runs.
    """

    row: str
    seed: int
    metrics: dict[str, float]
    history: list[dict[str, Any]]
    parameters: int
    seconds: float
    device: str
    versions: dict[str, str]
    weights: str
    recipe: dict[str, Any]
    inputs: dict[str, Any] = field(default_factory=dict)
    confusion: list[list[int]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    quick: bool = False

    def unpack_answers(self, name: str) -> NDArray[np.uint8]:
        """Return the numbers of each test image, (N), that the row's `score` gave under a name."""
        return np.frombuffer(zlib.decompress(base64.b64decode(self.answers[name])), np.uint8)


def pack_answers(numbers: NDArray[np.uint8]) -> str:
    """Return numbers from 0 to 255 as text; `Cell.answered` reads it."""
    return base64.b64encode(zlib.compress(numbers.astype(np.uint8).tobytes(), 9)).decode()


class Ledger:
    """The cells that are done, in a file of JSON lines: a line counts when it is whole.

    A kill while a line is written leaves half of it at the end; it is passed over, and cut off before the next one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_cells(self) -> list[Cell]:
        """Return the cells in the file.

        Raises:
            WeightsError: A line is no cell, or the file cannot be read.
        """
        whole, _ = self._read_parts()
        lines = whole.decode(errors="replace").splitlines()
        return [self._parse_cell(number, line) for number, line in enumerate(lines, 1) if line.strip()]

    def _read_parts(self) -> tuple[bytes, bytes]:
        """Return the whole lines, and what follows the last of them."""
        try:
            text = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise WeightsError(f"{self.path} cannot be read: {error.strerror or error}") from error
        end = text.rfind(b"\n") + 1
        return text[:end], text[end:]

    def _parse_cell(self, number: int, line: str) -> Cell:
        try:
            return Cell(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise WeightsError(f"{self.path}: line {number} is no cell; remove it to run that cell again") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that adds cells until the block ends.

        Raises:
            BusyError: Another process runs this experiment.
            WeightsError: The folder cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WeightsError(f"{self.path.parent} cannot be made: {error.strerror or error}") from error
        with atomic.acquire_lock(self.path, timeout=0):
            yield

    def add(self, cell: Cell) -> None:
        """Append a cell and wait until it is on the disk.

        Raises:
            WeightsError: The file cannot be written.
        """
        line = json.dumps(asdict(cell), allow_nan=False).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole, _ = self._read_parts()
            with self.path.open("ab") as file:
                file.truncate(len(whole))
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise WeightsError(f"{self.path} cannot be written: {error.strerror or error}") from error
