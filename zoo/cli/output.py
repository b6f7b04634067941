"""Output of commands: text, tables and records for people, JSON for programs.

On a terminal everything fits its width: `print_text` wraps at spaces, and a table drops its least important columns
first. Names and numbers are never cut. Piped output is one line a row with every column, for `grep` and `awk`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

GAP = "  "
DEFAULT_WIDTH = 80
"""Width of a terminal that does not say how wide it is."""
SIZE = re.compile(r"(?<=\d) x (?=\d)")
"""The middle of a size such as `28 x 28`, which is not split."""
MIN_WRAPPED_WIDTH = 24
"""Characters that a column of sentences gets before other columns are dropped."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        name: Key of the value in each row, and the column's title.
        right: Align to the right, for numbers.
        wrap: Wrap values at spaces, for sentences.
        drop_order: On a narrow terminal the column with the highest number is dropped first; 0 is never dropped.
    """

    name: str
    right: bool = False
    wrap: bool = False
    drop_order: int = 0


@dataclass(frozen=True)
class RenderedTable:
    """A table as lines of text: the head, then the lines of each row, and the titles of dropped columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    dropped: tuple[str, ...]


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, default=str, allow_nan=False))


def get_width(err: bool = False) -> int | None:
    """Return the width of the terminal, or None if standard output (or with `err` standard error) is not a terminal."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    except OSError:
        return DEFAULT_WIDTH


def measure(text: str) -> int:
    """Return the number of terminal cells that a text takes: two for a wide character, none for a combining one.

    >>> measure("boot"), measure("靴")
    (4, 2)
    """
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def wrap_words(text: str, width: int | None) -> list[str]:
    """Split a text into lines of at most `width` cells at spaces; a longer word gets a line of its own.

    >>> wrap_words("three graph convolutions", 12)
    ['three graph', 'convolutions']
    """
    if width is None:
        return [" ".join(text.split())]
    lines: list[str] = []
    for part in SIZE.sub("\0x\0", text).split():
        word = part.replace("\0", " ")
        if lines and measure(lines[-1]) + 1 + measure(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


def print_text(text: str, *, indent: str = "", err: bool = False, **style: Any) -> None:
    """Print paragraphs, wrapped at spaces on a terminal; lines after the first of a paragraph get `indent`."""
    width = get_width(err)
    for paragraph in text.splitlines() or [""]:
        if width is None or measure(paragraph) <= width:
            lines = [paragraph]
        else:
            before = paragraph[: len(paragraph) - len(paragraph.lstrip())]
            lines = wrap_words(paragraph, max(width - len(before + indent), 1))
            lines = [f"{before}{indent if number else ''}{line}" for number, line in enumerate(lines)]
        for line in lines:
            click.secho(line, err=err, **style)


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, title: str = "", group: str = ""
) -> None:
    """Print rows as a table that fits the terminal.

    Args:
        rows: Values by column name; a missing value is empty.
        columns: The columns, in order. A column without any value is left out.
        title: A line above the table.
        group: A key of the rows. On a terminal rows are grouped under its values, and piped it is a column.
    """
    width = get_width()
    columns = [each for each in columns if width is None or each.name != group]
    indent = GAP if group and width is not None else ""
    table = render_table(rows, columns, None if width is None else width - len(indent))
    if title:
        print_text(title, bold=True)
    for line in table.head:
        click.secho(indent + line, bold=True)
    if not indent:
        _print_lines([line for lines in table.rows for line in lines])
        return
    for value in dict.fromkeys(row.get(group, "") for row in rows):
        click.secho(str(value), fg="cyan")
        _print_lines(
            [indent + line for row, lines in zip(rows, table.rows, strict=True) if row.get(group, "") == value
             for line in lines]
        )  # fmt: skip


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line.rstrip())


def render_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], width: int | None = None
) -> RenderedTable:
    """Return a table as lines of at most `width` cells, or one line a row if `width` is None.

    Columns are dropped until the others fit with sentences wrapped. If the columns that are never dropped do not fit,
    each row is rendered as lines of `title: value`.
    """
    cells = [{each.name: format_value(row.get(each.name)) for each in columns} for row in rows]
    used = [each for each in columns if any(row[each.name] for row in cells)]
    kept = list(used)
    while width is not None and sum(_min_widths(kept, cells)) + len(GAP) * (len(kept) - 1) > width:
        droppable = [each for each in kept if each.drop_order]
        if not droppable:
            dropped = tuple(each.name for each in used if each not in kept)
            stacked = tuple(tuple(_stack_row(row, kept, width)) for row in cells)
            return RenderedTable((), stacked, dropped)
        kept.remove(max(droppable, key=lambda each: each.drop_order))
    widths = _get_widths(kept, cells, width)
    head = " ".join(each.name for each in kept)
    lines = tuple(tuple(_render_row(row, kept, widths)) for row in cells)
    head_lines = tuple(_render_row({each.name: each.name for each in kept}, kept, widths)) if head else ()
    return RenderedTable(head_lines, lines, tuple(each.name for each in used if each not in kept))


def _natural_width(column: Column, cells: Sequence[Mapping[str, str]]) -> int:
    return max(measure(column.name), *(measure(row[column.name]) for row in cells))


def _min_widths(columns: Sequence[Column], cells: Sequence[Mapping[str, str]]) -> list[int]:
    """Return the least width of each column: that of its longest value, or of a wrapped column's longest word."""
    widths = []
    for column in columns:
        width = _natural_width(column, cells)
        if column.wrap:
            longest = max(measure(word) for row in cells for word in (column.name, *row[column.name].split()))
            width = min(width, max(longest, MIN_WRAPPED_WIDTH))
        widths.append(width)
    return widths


def _get_widths(columns: Sequence[Column], cells: Sequence[Mapping[str, str]], width: int | None) -> list[int]:
    """Return the width of each column; wrapped columns share what the others leave."""
    natural = [_natural_width(column, cells) for column in columns]
    if width is None:
        return natural
    widths = _min_widths(columns, cells)
    free = width - sum(widths) - len(GAP) * (len(columns) - 1)
    for index, target in sorted(enumerate(natural), key=lambda each: each[1]):
        extra = min(target - widths[index], free)
        widths[index] += extra
        free -= extra
    return widths


def _render_row(row: Mapping[str, str], columns: Sequence[Column], widths: Sequence[int]) -> Iterator[str]:
    blocks = [
        wrap_words(row[column.name], width) if column.wrap else [row[column.name]]
        for column, width in zip(columns, widths, strict=True)
    ]
    for number in range(max(map(len, blocks))):
        parts = []
        for block, column, width in zip(blocks, columns, widths, strict=True):
            text = block[number] if number < len(block) else ""
            blanks = " " * (width - measure(text))
            parts.append(blanks + text if column.right else text + blanks)
        yield GAP.join(parts).rstrip()


def _stack_row(row: Mapping[str, str], columns: Sequence[Column], width: int) -> Iterator[str]:
    first, *others = columns
    yield from wrap_words(row[first.name], width) if first.wrap else [row[first.name]]
    for column in others:
        if row[column.name]:
            yield from (GAP + line for line in wrap_words(f"{column.name}: {row[column.name]}", width - len(GAP)))


def print_record(record: Mapping[str, Any], *, title: str = "", indent: str = "") -> None:
    """Print a record as lines of a name and its value, without empty values."""
    width = get_width()
    if title:
        print_text(title, bold=True)
    texts = {str(name): format_value(value) for name, value in record.items()}
    texts = {name: text for name, text in texts.items() if text}
    left = max(map(measure, texts), default=0)
    room = None if width is None else width - len(indent + GAP) - left
    for name, text in texts.items():
        blanks = " " * (left - measure(name))
        lines = wrap_words(text, room)
        if room is not None and max(map(measure, lines)) > room:  # a long path, for one: give it the whole line
            lines = ["", *wrap_words(text, max(room + left - len(GAP), 1))]
            hang = indent + GAP * 2
        else:
            hang = indent + " " * left + GAP
        click.echo(f"{indent}{click.style(name, fg='cyan')}{blanks}{GAP if lines[0] else ''}{lines[0]}".rstrip())
        _print_lines([hang + line for line in lines[1:]])


def format_value(value: Any) -> str:
    """Return a value as one line of text.

    >>> format_value((7, 7)), format_value(906), format_value(True), format_value({"lr": 0.01})
    ('7, 7', '906', 'yes', 'lr=0.01')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    return f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())


def format_count(count: int | None) -> str:
    """Return a number of weights or bytes in at most five characters.

    >>> format_count(906), format_count(13_562), format_count(11_173_962)
    ('906', '13.6K', '11.2M')
    """
    if count is None:
        return ""
    for scale, unit in ((10**9, "G"), (10**6, "M"), (10**3, "K")):
        if count >= scale:
            return f"{count / scale:.3g}{unit}"
    return str(count)
