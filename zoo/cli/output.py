"""How commands print: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

json_option = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, default=str, allow_nan=False))


def make_console() -> Console:
    """Return the console of standard output; piped, its lines are not cut.

    Markup and emoji codes are off: a summary or an error's text is shown as it is.
    """
    made = Console(highlight=False, markup=False, emoji=False)
    return made if made.is_terminal else Console(highlight=False, markup=False, emoji=False, width=200)


def print_table(rows: Sequence[Mapping[str, Any]], *, right_aligned: Sequence[str] = (), title: str = "") -> None:
    """Print rows as a table; columns named in `right_aligned` are aligned to the right."""
    table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name, justify="right" if name in right_aligned else "left", overflow="fold")
    for row in rows:
        table.add_row(*(format_value(value) for value in row.values()))
    make_console().print(table)


def print_record(record: Mapping[str, Any], *, title: str = "") -> None:
    """Print a record as two columns, leaving out what is empty."""
    table = Table(
        box=None, show_header=False, title=title or None, title_justify="left", title_style="bold", pad_edge=False
    )
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in record.items():
        if value not in ("", None, (), [], {}):
            table.add_row(name, format_value(value))
    make_console().print(table)


def format_value(value: Any) -> str:
    """Return a value as people read it."""
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
    return f"{value:.4g}" if isinstance(value, float) else str(value)
