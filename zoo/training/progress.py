"""Show training as it runs: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from zoo.training.callbacks import Callback, Training

COLUMNS = {
    "epoch": ("epoch", 5, "d"),
    "loss": ("loss", 8, ".4f"),
    "accuracy": ("accuracy", 8, ".4f"),
    "val_loss": ("val loss", 8, ".4f"),
    "val_accuracy": ("val accuracy", 12, ".4f"),
    "lr": ("lr", 9, ".2e"),
    "images_per_second": ("images/s", 10, ",.0f"),
    "seconds": ("seconds", 8, ".2f"),
}
MIN_INTERVAL, MAX_INTERVAL, DRAW_SHARE = 0.2, 1.0, 0.002
"""Seconds between two drawings of the bar, at least and at most, and the share of the time they take in between."""


def _format_line(row: dict[str, Any], values: bool) -> str:
    known = [name for name in COLUMNS if name in row]
    others = [name for name in row if name not in COLUMNS]
    parts = [
        format(row[n], COLUMNS[n][2]).rjust(COLUMNS[n][1]) if values else COLUMNS[n][0].rjust(COLUMNS[n][1])
        for n in known
    ]
    parts += [format(row[n], ".4f").rjust(max(len(n), 8)) if values else n.rjust(max(len(n), 8)) for n in others]
    return "  ".join(parts)


class LineProgress:
    """One line an epoch, under a head."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._head = ""

    def on_step(self, training: Training) -> None:
        """Nothing to do."""

    def on_epoch(self, training: Training) -> None:
        """Print the epoch's row, and why training ends if it does."""
        self.print_lines(self.format_epoch(training))

    def format_epoch(self, training: Training) -> list[Text]:
        """Return the lines of an epoch: the head where it is new, the row, and why training ends."""
        head = _format_line(training.row, values=False)
        lines = [Text(head, style="bold")] if head != self._head else []
        self._head = head
        lines.append(Text(_format_line(training.row, values=True)))
        return [*lines, Text(f"stopped: {training.stop}")] if training.stop else lines

    def print_lines(self, lines: list[Text]) -> None:
        """Print lines."""
        self._console.print(Text("\n").join(lines), soft_wrap=True)


class BarProgress:
    """A live bar over all steps, above it the lines of the epochs.

    What is new is drawn a few times a second and not at every step or epoch: drawing costs a millisecond or more.
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
        self._next, self._speed = 0.0, 0.0
        self._before = (0, time.monotonic())
        self._pending_lines: list[Text] = []

    def on_step(self, training: Training) -> None:
        """Move the bar and print waiting lines, when it is time to."""
        now = time.monotonic()
        if now >= self._next:
            self._measure(training.images, now)
            self._draw(training)
            self._next = now + min(max(MIN_INTERVAL, (time.monotonic() - now) / DRAW_SHARE), MAX_INTERVAL)

    def _draw(self, training: Training) -> None:
        epoch, epochs, steps = training.epoch - training.earlier, training.recipe.epochs, training.steps
        done, told = (epoch - 1) * steps + training.step, f"{epoch}/{epochs}"
        self.bar.update(self._task, completed=done, total=steps * epochs, epoch=told, speed=self._speed)
        self.flush_lines()
        self.bar.refresh()

    def on_epoch(self, training: Training) -> None:
        """Have the epoch's line printed above the bar at the next drawing."""
        self._pending_lines += self._lines.format_epoch(training)

    def flush_lines(self) -> None:
        """Print the lines that wait."""
        if self._pending_lines:
            self._lines.print_lines(self._pending_lines)
            self._pending_lines = []

    def _measure(self, images: int, now: float) -> None:
        """Take the speed since the last drawing, unless an epoch has begun meanwhile."""
        seen, then = self._before
        if images > seen and now > then:
            self._speed = (images - seen) / (now - then)
        self._before = (images, now)


@contextmanager
def progress_callbacks(enabled: bool) -> Iterator[list[Callback]]:
    """Yield the callbacks that show training; none when not wanted, or not the first process.

    They write to standard error, and in a notebook to the cell's output.
    """
    console = Console()
    console = console if console.is_jupyter else Console(stderr=True)
    if not enabled or os.environ.get("RANK", "0") != "0":
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
