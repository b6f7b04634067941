"""Show the cells of an experiment as they run: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from zoo.training.callbacks import Callback, Training


class CellProgress:
    """How many cells of a table are done, about how long the rest takes, and the epoch of the running one.

    On a terminal a bar, above it a line for each cell that is done; elsewhere only the lines.
    """

    def __init__(self, console: Console | None, total: int) -> None:
        self._console, self._total, self._done = console, total, 0
        self._label, self._left = "", ""
        columns = (TextColumn("cells"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[told]}"))
        is_live = console is not None and console.is_terminal
        self.bar = Progress(*columns, console=console, auto_refresh=False, transient=True) if is_live else None
        self._task = self.bar.add_task("cells", total=total, told="") if self.bar else None

    @property
    def callbacks(self) -> list[Callback]:
        """What `fit` is given so that the epochs are seen."""
        return [self] if self.bar else []

    def begin(self, label: str, seconds_left: float | None) -> None:
        """Say which cell begins, and about how many seconds are left."""
        self._label, self._left = (
            label,
            f"; about {_format_duration(seconds_left)} left" if seconds_left is not None else "",
        )
        self._show("")

    def end(self, result: str) -> None:
        """Say what a cell came to."""
        self._done += 1
        if self._console is not None:
            line = f"[{self._done}/{self._total}] {self._label}: {result}{'' if self.bar else self._left}"
            self._console.print(Text(line), soft_wrap=True)
        self._show("")

    def on_step(self, training: Training) -> None:
        """Nothing to do: an epoch is short enough."""

    def on_epoch(self, training: Training) -> None:
        """Show the epoch."""
        self._show(f", epoch {training.epoch}/{training.recipe.epochs}")

    def _show(self, epoch: str) -> None:
        if self.bar and self._task is not None:
            self.bar.update(self._task, completed=self._done, told=f"{self._label}{epoch}{self._left}")
            self.bar.refresh()


def _format_duration(seconds: float) -> str:
    """Return seconds as people say them.

    >>> _format_duration(42), _format_duration(600), _format_duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextmanager
def show_cell_progress(enabled: bool, total: int) -> Iterator[CellProgress]:
    """Yield what shows the cells of a table as they are run; it is silent when not wanted."""
    cells = CellProgress(Console(stderr=True) if enabled else None, total)
    with cells.bar or nullcontext():
        yield cells
