"""`zoo plot`: pictures of saved models and of finished tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli.experiment import TABLES
from zoo.cli.output import as_json, print_json
from zoo.errors import ConfigError

KINDS = ("curves", "confusion", "classes", "images", "table")
NUM_IMAGES = 40
EXAMPLES = """
\b
zoo plot ./runs/gcn-7x7                                          curves of training
zoo plot ./runs/cnn-simple ./runs/cnn-deep                       two runs laid over each other
zoo plot cnn-deep/mnist --kind confusion --data mnist            also: classes, images
zoo plot ./runs/attention-gan-28x28 --kind images                what a generator draws
zoo plot paper1-7x7 --kind table                                 a paper's table as a chart
"""


@click.command(epilog=EXAMPLES)
@click.argument("runs", nargs=-1, required=True)
@click.option("--kind", type=click.Choice(KINDS), default="curves", show_default=True, help="What to draw.")
@click.option("--data", help="Data set whose test images are labelled; for confusion, classes and images.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="PNG, SVG or PDF to write.  [default: KIND.png]"
)
@click.option(
    "--tables",
    type=click.Path(file_okay=False, path_type=Path),
    default=TABLES,
    show_default=True,
    help="Folder of the tables' results.",
)
@as_json
def plot(runs: tuple[str, ...], kind: str, data: str | None, out: Path | None, tables: Path, is_json: bool) -> None:
    """Draw RUNS: saved models, such as ./runs/gcn-7x7 or cnn-deep/mnist; for a table, the name of an experiment."""
    from zoo.plots import write

    if kind != "curves" and len(runs) > 1:
        raise ConfigError(f"only curves are laid over each other; give --kind {kind} one of {', '.join(runs)}")
    place = out or Path(f"{kind}.png")
    write(_drawn(runs, kind, data, tables), place)
    print_json({"kind": kind, "written": str(place)}) if is_json else click.echo(
        f"{kind} of {', '.join(runs)}: {place}"
    )


def _drawn(runs: tuple[str, ...], kind: str, data: str | None, tables: Path) -> Any:
    if kind == "curves":
        return _curves(runs)
    if kind == "table":
        return _table(runs[0], tables)
    return _of_model(runs[0], kind, data)


def _curves(runs: tuple[str, ...]) -> Any:
    from zoo.hub.resolve import found
    from zoo.plots import curves
    from zoo.saving.artifact import read

    return curves({run.rstrip("/").removeprefix("./"): read(found(run).folder).history for run in runs})


def _table(name: str, tables: Path) -> Any:
    from zoo.experiment import Ledger
    from zoo.experiment.freshness import current
    from zoo.plots import Entry, table
    from zoo.plugins.catalog import CATALOGUE

    spec = CATALOGUE.shelf("experiments")[name]
    metric = spec.metrics[0]
    cells = [cell for cell in current(spec, Ledger(tables / f"{name}.jsonl").cells()) if not cell.quick]

    def entry(row: Any) -> Entry:
        ours = tuple(cell.metrics[metric] for cell in cells if cell.row == row.label and metric in cell.metrics)
        return Entry(label=row.label, ours=ours, paper=row.paper.get(metric))

    return table([entry(row) for row in spec.rows], title=spec.summary)


def _of_model(run: str, kind: str, data: str | None) -> Any:
    from zoo.api import load
    from zoo.plots import classes, confusion, pictures

    model = load(run)
    if model.spec.task == "generation":
        if kind != "images":
            raise ConfigError(f"{run} draws images, and has no {kind}; --kind images shows what it draws")
        return pictures(model.draw(NUM_IMAGES), columns=10)
    images = _test_images(model, run, kind, data)
    if kind == "images":
        shown = images.take(min(NUM_IMAGES, len(images)), seed=0)
        return pictures(shown, predicted=model.predict(shown).tolist(), columns=10)
    result = model.evaluate(images)
    return confusion(result) if kind == "confusion" else classes(result)


def _test_images(model: Any, run: str, kind: str, data: str | None) -> Any:
    from zoo.cli.predict import read

    if data is None:
        raise ConfigError(f"--kind {kind} of {run} needs labelled images: add --data, such as --data fashion-mnist")
    wants = model.preprocessing
    return read(data, wants.size, wants.resize).test.with_classes(model.classes)
