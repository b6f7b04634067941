"""Keep the history of a training: one row per epoch, to and from JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from zoo.errors import UnknownNameError, WeightsError, did_you_mean, join_names

HistoryRow = dict[str, Any]


def is_lower_better(column: str) -> bool:
    """Return whether lower values of a column are better, as for losses, errors and distances, but not scores.

    >>> is_lower_better("val_loss"), is_lower_better("val_accuracy")
    (True, False)
    """
    return any(word in column for word in ("loss", "error", "nll", "ece", "distance"))


class History(Sequence[HistoryRow]):
    """One row per epoch, oldest first: `epoch, loss, accuracy, val_loss, val_accuracy, lr, seconds, images_per_second`.

    `history[0]` is a row, `history["loss"]` a column.

    Args:
        rows: The rows, oldest first.
        stopped: Why training ended before its last epoch, or empty.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]] = (), *, stopped: str = "") -> None:
        self._rows: list[HistoryRow] = [dict(row) for row in rows]
        self.stopped = stopped

    def append(self, row: Mapping[str, Any]) -> None:
        """Add the row of one epoch."""
        self._rows.append(dict(row))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, in the order they first appear."""
        return tuple(dict.fromkeys(name for row in self._rows for name in row))

    def best(self, column: str) -> HistoryRow:
        """Return the row with the best value of a column; the first row if values are equal.

        `is_lower_better` decides what is best. Rows without the column, or with nan there, do not count.

        Raises:
            UnknownNameError: No row has a number in that column.
        """
        rows = [row for row in self._rows if row.get(column) is not None and row[column] == row[column]]
        if not rows:
            raise self._unknown_column_error(column)
        sign = 1 if is_lower_better(column) else -1
        return min(rows, key=lambda row: sign * row[column])

    def _unknown_column_error(self, name: str) -> UnknownNameError:
        columns = join_names(self.columns) or "none yet"
        return UnknownNameError(f"no column {name!r}{did_you_mean(name, self.columns)}; there is {columns}")

    def to_jsonl(self) -> str:
        """Return the rows as JSON lines."""
        return "".join(json.dumps(row, allow_nan=False) + "\n" for row in self._rows)

    @classmethod
    def from_jsonl(cls, text: str, *, name: str | Path = "history") -> History:
        """Read what `to_jsonl` wrote.

        Raises:
            WeightsError: A line is not a JSON object.
        """
        rows = []
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise WeightsError(f"{name}: line {number} is not JSON") from error
            if not isinstance(row, dict):
                raise WeightsError(f"{name}: line {number} is not a JSON object")
            rows.append(row)
        return cls(rows)

    @overload
    def __getitem__(self, key: int) -> HistoryRow: ...
    @overload
    def __getitem__(self, key: slice) -> list[HistoryRow]: ...
    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    def __getitem__(self, key: int | slice | str) -> Any:
        """Return a row by its index, or a column by its name, with None where a row lacks it."""
        if isinstance(key, str):
            if key not in self.columns:
                raise self._unknown_column_error(key)
            return [row.get(key) for row in self._rows]
        return self._rows[key]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[HistoryRow]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self._rows == other._rows

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not self._rows:
            return "History(empty)"
        widths = {name: max(len(name), 10) for name in self.columns}
        header = "  ".join(f"{name:>{width}}" for name, width in widths.items())
        lines = [
            "  ".join(f"{_format_value(row.get(name)):>{width}}" for name, width in widths.items())
            for row in self._rows
        ]
        return "\n".join([header, *lines])


def _format_value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return "" if value is None else str(value)
