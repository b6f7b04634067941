"""`zoo experiment`: run a paper's table, and report it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli.list_info import list_
from zoo.cli.output import json_option, print_json

TABLES_FOLDER = Path("docs/tables")
out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=TABLES_FOLDER,
    show_default=True,
    help="Folder of the results.",
)


@click.group()
def experiment() -> None:
    """Reproduce a paper's table, with its numbers beside ours."""


@experiment.command("list")
@json_option
def list_experiments(as_json: bool) -> None:
    """List the experiments."""
    list_.callback(pattern="*", shelf="experiments", is_json=as_json)  # type: ignore[misc]


def parse_seeds(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """Read `5` (seeds 0 to 4), `0,3,7`, or `5,` (seed 5 alone)."""
    if text is None:
        return None
    try:
        numbers = tuple(int(word) for word in text.removesuffix(",").split(","))
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a number of seeds nor seeds such as 0,3,7", ctx=context, param=parameter
        ) from None
    seeds = numbers if "," in text else tuple(range(numbers[0]))
    if not seeds or min(seeds) < 0:
        raise click.BadParameter(f"{text!r} is no seed at all, or one below 0", ctx=context, param=parameter)
    return seeds


@experiment.command()
@click.argument("name")
@click.option("--seeds", callback=parse_seeds, help="How many seeds, or which: 5, or 0,3,7.")
@click.option("--row", "rows", multiple=True, help="Only the row of this label; may be given again.")
@click.option("--device", help="cpu, cuda, cuda:1 or mps.")
@click.option("--quick", is_flag=True, help="One epoch each, only to see that it runs; kept apart.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@out_option
@json_option
def run(
    name: str,
    seeds: tuple[int, ...] | None,
    rows: tuple[str, ...],
    device: str | None,
    quick: bool,
    quiet: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Run the cells of NAME that are missing from OUT/NAME.jsonl, then report.

    It can be stopped anywhere and begun again: each cell is kept as soon as it is done, and none is run twice. Rows
    that need a GPU are left out where there is none, unless --row names them.
    """
    from zoo import experiment as room
    from zoo.plugins.catalog import CATALOG

    spec = CATALOG.registry("experiments")[name]
    ledger = room.Ledger(_ledger_path(out, name, quick))
    left_out = () if quick or rows else room.find_unavailable_rows(spec, device)
    try:
        room.run(spec, ledger, seeds=seeds, rows=rows or None, device=device, quick=quick, progress=not quiet)
    finally:
        cells = ledger.read_cells()
        if cells:
            _write_report(spec, cells, ledger.path, "markdown")
    print_json([vars(cell) for cell in cells]) if as_json else click.echo(room.to_markdown(spec, cells))
    if left_out:
        labels = ", ".join(row.label for row in left_out)
        click.secho(f"left out, for want of a GPU: {labels}; the report has their commands", fg="yellow", err=True)


@experiment.command()
@click.argument("name")
@click.option("--quick", is_flag=True, help="Report the quick cells, without pictures.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "csv", "json"]),
    default="markdown",
    show_default=True,
    help="What is printed and written.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the pictures.  [default: pictures, beside OUT]",
)
@out_option
@json_option
def report(name: str, quick: bool, output_format: str, pictures: Path | None, out: Path, as_json: bool) -> None:
    """Print the table of NAME from its finished cells, write it to OUT/NAME.md, and draw its pictures."""
    from zoo import experiment as room
    from zoo.plugins.catalog import CATALOG

    spec, path = CATALOG.registry("experiments")[name], _ledger_path(out, name, quick)
    cells = room.Ledger(path).read_cells()
    if cells:
        _write_report(spec, cells, path, "json" if as_json else output_format)
        if not quick:
            _write_figures(spec, cells, pictures or out.parent / "pictures")
    click.echo(room.FORMATS["json" if as_json else output_format][1](spec, cells), nl=False)


def _ledger_path(out: Path, name: str, quick: bool) -> Path:
    return out / f"{name}{'.quick' if quick else ''}.jsonl"


def _write_report(spec: Any, cells: Any, ledger: Path, output_format: str) -> None:
    from zoo.experiment import FORMATS

    suffix, written = FORMATS[output_format]
    ledger.with_suffix(suffix).write_text(written(spec, cells))


def _write_figures(spec: Any, cells: Any, folder: Path) -> None:
    from zoo.experiment.figures import draw_figures
    from zoo.plots import save_figure

    for name, figure in draw_figures(spec, cells).items():
        save_figure(figure, folder / f"{name}.png")
        click.echo(f"drawn: {folder / name}.png", err=True)
