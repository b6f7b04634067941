"""Show the cells of an experiment as they run: a live bar on a terminal, plain lines elsewhere. Door: rich."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from zoo.training.callbacks import Callback, Training


class CellProgress:
    """Show how many cells are finished, the time left, and the epoch of the current cell.

    A terminal gets a bar, and above it a line for each finished cell; other outputs get only the lines.

    Args:
        console: Where to write; None is silent.
        total: Number of cells to run.
    """

    def __init__(self, console: Console | None, total: int) -> None:
        self._console, self._total, self._num_done = console, total, 0
        self._label, self._time_left = "", ""
        columns = (TextColumn("cells"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[status]}"))
        is_live = console is not None and console.is_terminal
        self.bar = Progress(*columns, console=console, auto_refresh=False, transient=True) if is_live else None
        self._task = self.bar.add_task("cells", total=total, status="") if self.bar else None

    @property
    def callbacks(self) -> list[Callback]:
        """The callbacks for `fit` that show the epochs."""
        return [self] if self.bar else []

    def begin(self, label: str, seconds_left: float | None) -> None:
        """Show which cell begins, and about how many seconds are left."""
        self._label = label
        self._time_left = f"; about {_format_duration(seconds_left)} left" if seconds_left is not None else ""
        self._show("")

    def end(self, result: str) -> None:
        """Show the result of a cell."""
        self._num_done += 1
        if self._console is not None:
            line = f"[{self._num_done}/{self._total}] {self._label}: {result}{'' if self.bar else self._time_left}"
            self._console.print(Text(line), soft_wrap=True)
        self._show("")

    def on_step(self, training: Training) -> None:
        """Do nothing: an epoch is short enough."""

    def on_epoch(self, training: Training) -> None:
        """Show the epoch."""
        self._show(f", epoch {training.epoch}/{training.recipe.epochs}")

    def _show(self, epoch: str) -> None:
        if self.bar and self._task is not None:
            self.bar.update(self._task, completed=self._num_done, status=f"{self._label}{epoch}{self._time_left}")
            self.bar.refresh()


def _format_duration(seconds: float) -> str:
    """Return seconds as a short text.

    >>> _format_duration(42), _format_duration(600), _format_duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextmanager
def show_cell_progress(enabled: bool, total: int) -> Iterator[CellProgress]:
    """Yield what shows the cells of an experiment as they run; it is silent if it is not enabled."""
    cells = CellProgress(Console(stderr=True) if enabled else None, total)
    with cells.bar or nullcontext():
        yield cells
