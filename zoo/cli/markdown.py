"""Show a Markdown page on a terminal: the headings, paragraphs, lists and tables that reports have."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from zoo.cli.output import Column, get_width, print_table, print_text, render_table

DROPPED_FIRST = ("range", "n", "weights", "seconds, median")
"""Columns of reports that are dropped on a narrow terminal, the last one first; further metrics are dropped next."""
KEPT = ("verdict", "brackets")
NUM_MAIN_COLUMNS = 4
"""Columns at the left that are never dropped, unless they are `DROPPED_FIRST`."""
MARKUP = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|(?<![\w*])\*(?P<italic>[^*\s][^*]*)\*(?!\w)|`(?P<code>[^`]+)`")
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)]+)\)")
ITEM = "- "


def print_markdown(text: str) -> None:
    """Print a Markdown page at the width of the terminal."""
    for block in split_blocks(text):
        if block.startswith("|"):
            _print_table(block)
        elif block.startswith("#"):
            print_text(remove_markup(block.lstrip("# ")), bold=True)
        elif block.startswith(ITEM):
            print_text(f"  - {remove_markup(block.removeprefix(ITEM))}", indent="  ")
            continue
        else:
            print_text(remove_markup(block))
        click.echo()


def split_blocks(text: str) -> Iterator[str]:
    """Yield the blocks of a page: a heading, a paragraph as one line, an item of a list, a table with its lines.

    >>> page = ["# Title", "One", "two.", "", "- an", "  item", "- another"]
    >>> list(split_blocks(chr(10).join(page)))
    ['# Title', 'One two.', '- an item', '- another']
    """
    block: list[str] = []
    for line in [*(each.strip() for each in text.splitlines()), ""]:
        is_table = line.startswith("|")
        in_table = bool(block) and block[0].startswith("|")
        in_heading = bool(block) and block[0].startswith("#")
        if block and (not line or line.startswith(("#", ITEM)) or in_heading or is_table != in_table):
            yield ("\n" if in_table else " ").join(block)
            block = []
        if line:
            block.append(line)


def remove_markup(text: str) -> str:
    """Return a text without the marks for bold, italic, code and links.

    >>> remove_markup("**Quick** cells of `zoo run`, see [the page](x.md)")
    'Quick cells of zoo run, see the page (x.md)'
    """
    plain = LINK.sub(r"\g<text> (\g<target>)", text)
    return MARKUP.sub(lambda match: next(part for part in match.groups() if part), plain)


def _print_table(block: str) -> None:
    """Print a table; the first column has labels, which may wrap."""
    head, _, *lines = [
        [remove_markup(cell.strip()) for cell in line.strip("|").split("|")] for line in block.split("\n")
    ]
    rows = [{name: cell for name, cell in zip(head, line, strict=True) if cell != "-"} for line in lines]
    columns = [_make_column(name, number) for number, name in enumerate(head)]
    print_table(rows, columns)
    dropped = render_table(rows, columns, get_width()).dropped
    if dropped:
        print_text(f"Not shown at this width: {'; '.join(dropped)}. --format csv prints all numbers.", dim=True)


def _make_column(name: str, number: int) -> Column:
    if number == 0:
        return Column(name, wrap=True)
    if name in DROPPED_FIRST:
        return Column(name, right=name != "range", drop_order=100 + DROPPED_FIRST.index(name))
    return Column(name, right=name not in KEPT, drop_order=0 if number < NUM_MAIN_COLUMNS or name in KEPT else number)
