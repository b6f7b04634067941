"""Show training as it runs: a live bar on a terminal, plain lines elsewhere. Door: rich."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from zoo.training.callbacks import Callback, Training
from zoo.training.checkpoint.run_file import is_main_process

COLUMN_FORMATS = {
    "epoch": ("epoch", 5, "d"),
    "loss": ("loss", 7, ".4f"),
    "accuracy": ("accuracy", 8, ".4f"),
    "val_loss": ("val loss", 8, ".4f"),
    "val_accuracy": ("val accuracy", 12, ".4f"),
    "lr": ("lr", 8, ".2e"),
    "images_per_second": ("images/s", 9, ",.0f"),
    "seconds": ("seconds", 7, ".2f"),
}
"""Title, width and number format of the columns of the history that are known here."""
DROPPED_FIRST = ("seconds", "images_per_second", "lr")
"""Columns that are left out, in this order, if the row does not fit the terminal."""
OTHER_WIDTH, OTHER_FORMAT = 8, ".4f"
"""Least width and number format of all other columns."""
MIN_INTERVAL, MAX_INTERVAL, DRAW_SHARE = 0.2, 1.0, 0.002
"""Least and most seconds between two updates of the bar, and the share of training time that updates may take."""


class LineProgress:
    """Print one line per epoch, under a header."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._header = ""

    def on_step(self, training: Training) -> None:
        """Do nothing."""

    def on_epoch(self, training: Training) -> None:
        """Print the epoch's row, and the reason if training ends."""
        self.print_lines(self.format_epoch(training))

    def format_epoch(self, training: Training) -> list[Text]:
        """Return the lines of an epoch: the header if it has changed, the row, and the reason if training ends."""
        row = self._select_columns(training.row)
        header = _format_header(row)
        lines = [Text(header, style="bold")] if header != self._header else []
        self._header = header
        lines.append(Text(_format_row(row)))
        return [*lines, Text(f"stopped: {training.stop}")] if training.stop else lines

    def _select_columns(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row without the columns that do not fit the terminal."""
        selected = dict(row)
        for name in DROPPED_FIRST:
            if self._console.is_terminal and len(_format_header(selected)) > self._console.width:
                selected.pop(name, None)
        return selected

    def print_lines(self, lines: list[Text]) -> None:
        """Print lines without wrapping them."""
        self._console.print(Text("\n").join(lines), soft_wrap=True)


def _format_header(row: dict[str, Any]) -> str:
    return "  ".join(title.rjust(width) for _, title, width, _ in _iter_columns(row))


def _format_row(row: dict[str, Any]) -> str:
    return "  ".join(format(row[name], spec).rjust(width) for name, _, width, spec in _iter_columns(row))


def _iter_columns(row: dict[str, Any]) -> Iterator[tuple[str, str, int, str]]:
    """Yield name, title, width and number format of a row's columns: known ones first, others in their order."""
    for name, (title, width, spec) in COLUMN_FORMATS.items():
        if name in row:
            yield name, title, width, spec
    for name in row:
        if name not in COLUMN_FORMATS:
            yield name, name, max(len(name), OTHER_WIDTH), OTHER_FORMAT


class BarProgress:
    """Show a live bar over all steps, and above it the lines of the epochs.

    The bar is updated a few times a second and not at every step or epoch: an update takes a millisecond or more.
    """

    def __init__(self, console: Console) -> None:
        self._lines = LineProgress(console)
        columns = (TextColumn("epoch {task.fields[epoch]}"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"))
        speed = TextColumn("{task.fields[speed]:,.0f} images/s")
        self.bar = Progress(
            *columns,
            speed,
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self.bar.add_task("fit", total=None, epoch="1", speed=0)
        self._next_update, self._speed = 0.0, 0.0
        self._last_measurement = (0, time.monotonic())
        self._pending_lines: list[Text] = []

    def on_step(self, training: Training) -> None:
        """Update the bar and print pending lines, if enough time has passed."""
        now = time.monotonic()
        if now >= self._next_update:
            self._measure_speed(training.images, now)
            self._draw(training)
            seconds = (time.monotonic() - now) / DRAW_SHARE
            self._next_update = now + min(max(MIN_INTERVAL, seconds), MAX_INTERVAL)

    def _draw(self, training: Training) -> None:
        epoch, epochs, steps = training.epoch - training.earlier, training.recipe.epochs, training.steps
        num_done, epoch_text = (epoch - 1) * steps + training.step, f"{epoch}/{epochs}"
        self.bar.update(self._task, completed=num_done, total=steps * epochs, epoch=epoch_text, speed=self._speed)
        self.flush_lines()
        self.bar.refresh()

    def on_epoch(self, training: Training) -> None:
        """Add the epoch's lines to those that the next update prints above the bar."""
        self._pending_lines += self._lines.format_epoch(training)

    def flush_lines(self) -> None:
        """Print the pending lines."""
        if self._pending_lines:
            self._lines.print_lines(self._pending_lines)
            self._pending_lines = []

    def _measure_speed(self, images: int, now: float) -> None:
        """Measure the speed since the last update, unless a new epoch has begun since then."""
        images_before, time_before = self._last_measurement
        if images > images_before and now > time_before:
            self._speed = (images - images_before) / (now - time_before)
        self._last_measurement = (images, now)


@contextmanager
def progress_callbacks(enabled: bool) -> Iterator[list[Callback]]:
    """Yield the callbacks that show training; none if it is not enabled, or not in the first process.

    They write to standard error, and in a notebook to the output of the cell.
    """
    console = Console()
    console = console if console.is_jupyter else Console(stderr=True)
    if not enabled or not is_main_process():
        yield []
    elif console.is_terminal:
        display = BarProgress(console)
        with display.bar:
            try:
                yield [display]
            finally:
                display.flush_lines()
    else:
        yield [LineProgress(console)]
