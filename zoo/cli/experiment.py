"""`zoo experiment`: run the experiments of a paper, and report them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.cli.list import list_registry
from zoo.cli.markdown import print_markdown
from zoo.cli.options import SuggestingGroup, device_option, json_option, parse_seeds
from zoo.cli.output import get_width, print_json, print_text

if TYPE_CHECKING:
    from zoo.experiment import Cell
    from zoo.plugins.experiment_spec import Experiment

TABLES_FOLDER = Path("docs/tables")
out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=TABLES_FOLDER,
    show_default=True,
    help="Folder of the results.",
)


@click.group(cls=SuggestingGroup)
def experiment() -> None:
    """Reproduce the table of a paper, and compare with its numbers."""


@experiment.command("list")
@json_option
def list_experiments(as_json: bool) -> None:
    """List the experiments."""
    list_registry("experiments", as_json=as_json)


@experiment.command()
@click.argument("name")
@click.option("--seeds", callback=parse_seeds, help="How many seeds, or which: 5, or 0,3,7.")
@click.option("--row", "rows", multiple=True, help="Run only the row with this label. Repeat it for several rows.")
@device_option
@click.option("--quick", is_flag=True, help="One epoch each, to see that it runs. Stored in a file of its own.")
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
    """Run the trainings of experiment NAME that are missing from OUT/NAME.jsonl, then report.

    It can be stopped at any time and run again: each training is stored as soon as it is done, and none is run twice.
    Rows that need a GPU are left out where there is none, unless --row names them.
    """
    from zoo import experiment as experiments
    from zoo.plugins.catalog import CATALOG

    spec = CATALOG.registry("experiments")[name]
    ledger = experiments.Ledger(_ledger_path(out, name, quick))
    left_out = () if quick or rows else experiments.find_unavailable_rows(spec, device)
    try:
        experiments.run(spec, ledger, seeds=seeds, rows=rows or None, device=device, quick=quick, progress=not quiet)
    finally:
        cells = ledger.read_cells()
        if cells:
            _write_report(spec, cells, ledger.path, "markdown")
    print_json([vars(cell) for cell in cells]) if as_json else _print_report(spec, cells, "markdown")
    if left_out:
        labels = ", ".join(row.label for row in left_out)
        print_text(f"left out, as they need a GPU: {labels}; the report has their commands", fg="yellow", err=True)


@experiment.command()
@click.argument("name")
@click.option("--quick", is_flag=True, help="Report the results of --quick, without figures.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["markdown", "csv", "json"]),
    default="markdown",
    show_default=True,
    help="Format to print and write.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the figures.  [default: pictures, beside OUT]",
)
@out_option
@json_option
def report(name: str, quick: bool, output_format: str, pictures: Path | None, out: Path, as_json: bool) -> None:
    """Print the table of experiment NAME from its results, write it to OUT/NAME.md, and draw its figures."""
    from zoo.experiment import Ledger
    from zoo.plugins.catalog import CATALOG

    spec, path = CATALOG.registry("experiments")[name], _ledger_path(out, name, quick)
    cells = Ledger(path).read_cells()
    output_format = "json" if as_json else output_format
    if cells:
        _write_report(spec, cells, path, output_format)
        if not quick:
            _write_figures(spec, cells, pictures or out.parent / "pictures")
    _print_report(spec, cells, output_format)


def _ledger_path(out: Path, name: str, quick: bool) -> Path:
    return out / f"{name}{'.quick' if quick else ''}.jsonl"


def _print_report(spec: Experiment, cells: Sequence[Cell], output_format: str) -> None:
    """Print the report: laid out for a terminal, or as it is written to the file if piped."""
    from zoo.experiment import FORMATS

    text = FORMATS[output_format][1](spec, cells)
    if output_format == "markdown" and get_width() is not None:
        print_markdown(text)
    else:
        click.echo(text, nl=False)


def _write_report(spec: Experiment, cells: Sequence[Cell], ledger: Path, output_format: str) -> None:
    from zoo.experiment import FORMATS

    suffix, render = FORMATS[output_format]
    ledger.with_suffix(suffix).write_text(render(spec, cells))


def _write_figures(spec: Experiment, cells: Sequence[Cell], folder: Path) -> None:
    from zoo.experiment.figures import draw_figures
    from zoo.plots import save_figure

    for name, figure in draw_figures(spec, cells).items():
        save_figure(figure, folder / f"{name}.png")
        click.echo(f"wrote {folder / name}.png", err=True)
