"""Store the results of an experiment: a `Cell` for each row and seed, and the `Ledger`, a file of them."""

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
    """The result of one row of a table with one seed.

    Args:
        row: The row's label.
        seed: Seed of the weights, the order of the images and the augmentation.
        metrics: Scores by name: for a classifier test accuracy, negative log-likelihood in nats and calibration error;
            also the scores that the row's `score` function returned.
        history: Rows of the training history.
        parameters: Number of parameters.
        seconds: Wall time of `fit`.
        device: The device, and on a CPU the number of threads.
        versions: Versions of the packages that the result depends on.
        weights: sha256 of the trained weights.
        recipe: The complete recipe.
        inputs: The other inputs of the result; see `zoo.experiment.freshness`.
        confusion: confusion[i][j] test images of class i were predicted as class j; empty for generators.
        answers: By name, one number for each test image, packed as text; see `unpack_answers`.
        quick: Whether the training was cut short, only to check that it runs.
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
        """Return the number of each test image, (N), that the row's `score` function returned under a name."""
        return np.frombuffer(zlib.decompress(base64.b64decode(self.answers[name])), np.uint8)


def pack_answers(numbers: NDArray[np.uint8]) -> str:
    """Pack numbers from 0 to 255 into text; `Cell.unpack_answers` reverses it."""
    return base64.b64encode(zlib.compress(numbers.astype(np.uint8).tobytes(), 9)).decode()


class Ledger:
    """A file of JSON lines with the finished cells of an experiment.

    A process that is killed while it writes leaves an incomplete last line. Such a line is ignored when the file is
    read, and removed before the next cell is added.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_cells(self) -> list[Cell]:
        """Return the cells in the file.

        Raises:
            WeightsError: A line is not a cell, or the file cannot be read.
        """
        complete, _ = self._read_parts()
        lines = complete.decode(errors="replace").splitlines()
        return [self._parse_cell(number, line) for number, line in enumerate(lines, 1) if line.strip()]

    def _read_parts(self) -> tuple[bytes, bytes]:
        """Return the complete lines, and what follows the last of them."""
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
            raise WeightsError(
                f"{self.path}: line {number} is not a cell; remove the line to run that cell again"
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the file, so that no other process adds cells until the block ends.

        Raises:
            BusyError: Another process has the lock: it runs this experiment.
            WeightsError: The folder cannot be created.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WeightsError(f"{self.path.parent} cannot be created: {error.strerror or error}") from error
        with atomic.acquire_lock(self.path, timeout=0):
            yield

    def add(self, cell: Cell) -> None:
        """Append a cell, and wait until it is on disk.

        Raises:
            WeightsError: The file cannot be written.
        """
        line = json.dumps(asdict(cell), allow_nan=False).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            complete, _ = self._read_parts()
            with self.path.open("ab") as file:
                file.truncate(len(complete))
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise WeightsError(f"{self.path} cannot be written: {error.strerror or error}") from error
