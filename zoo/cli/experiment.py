"""`zoo experiment`: run a paper's table, and report it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli.shelf import list_
from zoo.cli.table import as_json, print_json

TABLES = Path("docs/tables")
out = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=TABLES,
    show_default=True,
    help="Folder of the results.",
)


@click.group()
def experiment() -> None:
    """Reproduce a paper's table, with its numbers beside ours."""


@experiment.command("list")
@as_json
def list_experiments(is_json: bool) -> None:
    """List the experiments."""
    list_.callback(pattern="*", shelf="experiments", is_json=is_json)  # type: ignore[misc]


def seeds_of(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """Read `5` (seeds 0 to 4) or `0,3,7`."""
    if text is None:
        return None
    try:
        numbers = tuple(int(word) for word in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a number of seeds nor seeds such as 0,3,7", ctx=ctx, param=parameter
        ) from None
    return numbers if "," in text else tuple(range(numbers[0]))


@experiment.command()
@click.argument("name")
@click.option("--seeds", callback=seeds_of, help="How many seeds, or which: 5, or 0,3,7.")
@click.option("--row", "rows", multiple=True, help="Only the row of this label; may be given again.")
@click.option("--device", help="cpu, cuda, cuda:1 or mps.")
@click.option("--quick", is_flag=True, help="One epoch each, only to see that it runs; kept apart.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@out
@as_json
def run(
    name: str,
    seeds: tuple[int, ...] | None,
    rows: tuple[str, ...],
    device: str | None,
    quick: bool,
    quiet: bool,
    out: Path,
    is_json: bool,
) -> None:
    """Run the cells of NAME that are missing from OUT/NAME.jsonl, then report."""
    from zoo import experiment as room
    from zoo.plugins import CATALOGUE

    spec = CATALOGUE.shelf("experiments")[name]
    ledger = room.Ledger(_path(out, name, quick))

    def told(row: Any, seed: int, place: int, num: int) -> None:
        click.secho(f"[{place}/{num}] {row.label}, seed {seed}", bold=True, err=True)

    room.run(
        spec, ledger, seeds=seeds, rows=rows or None, device=device, quick=quick, progress=not quiet, on_start=told
    )
    _report(spec, ledger, is_json)


@experiment.command()
@click.argument("name")
@click.option("--quick", is_flag=True, help="Report the quick cells.")
@out
@as_json
def report(name: str, quick: bool, out: Path, is_json: bool) -> None:
    """Print the table of NAME from its finished cells, and write it to OUT/NAME.md."""
    from zoo import experiment as room
    from zoo.plugins import CATALOGUE

    _report(CATALOGUE.shelf("experiments")[name], room.Ledger(_path(out, name, quick)), is_json)


def _path(out: Path, name: str, quick: bool) -> Path:
    return out / f"{name}{'.quick' if quick else ''}.jsonl"


def _report(spec: Any, ledger: Any, is_json: bool) -> None:
    from zoo.experiment import markdown

    cells = ledger.cells()
    text = markdown(spec, cells)
    if cells:
        ledger.path.with_suffix(".md").write_text(text)
    print_json([vars(cell) for cell in cells]) if is_json else click.echo(text)
