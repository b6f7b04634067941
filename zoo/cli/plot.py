"""`zoo plot`: figures of saved models and of finished experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.datasets import load_dataset
from zoo.cli.experiment import TABLES_FOLDER
from zoo.cli.options import json_option
from zoo.cli.output import print_json
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from zoo.data import Images
    from zoo.model import Model

FIGURE_KINDS = ("curves", "confusion", "classes", "images", "table")
NUM_IMAGES = 40
EXAMPLES = """
\b
Examples:
  zoo plot ./runs/gcn-7x7                        curves of one training
  zoo plot ./runs/cnn-simple ./runs/cnn-deep     curves of two
  zoo plot cnn-deep/mnist --kind confusion --data mnist
  zoo plot ./runs/attention-gan-28x28 --kind images
  zoo plot paper1-7x7 --kind table
"""


@click.command(epilog=EXAMPLES)
@click.argument("runs", nargs=-1, required=True)
@click.option("--kind", type=click.Choice(FIGURE_KINDS), default="curves", show_default=True, help="What to plot.")
@click.option("--data", help="Data set with the test images for confusion, classes and images.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="PNG, SVG or PDF to write.  [default: KIND.png]"
)
@click.option(
    "--tables",
    type=click.Path(file_okay=False, path_type=Path),
    default=TABLES_FOLDER,
    show_default=True,
    help="Folder with the results of experiments.",
)
@json_option
def plot(runs: tuple[str, ...], kind: str, data: str | None, out: Path | None, tables: Path, as_json: bool) -> None:
    """Plot RUNS: saved models such as ./runs/gcn-7x7 or cnn-deep/mnist, or with --kind table an experiment."""
    from zoo.plots import save_figure

    if kind != "curves" and len(runs) > 1:
        raise ConfigError(f"only curves can be plotted together; give --kind {kind} only one of {', '.join(runs)}")
    path = out or Path(f"{kind}.png")
    save_figure(_draw_figure(runs, kind, data, tables), path)
    print_json({"kind": kind, "written": str(path)}) if as_json else click.echo(f"{kind} of {', '.join(runs)}: {path}")


def _draw_figure(runs: tuple[str, ...], kind: str, data: str | None, tables: Path) -> Any:
    if kind == "curves":
        return _draw_curves(runs)
    if kind == "table":
        return _draw_table(runs[0], tables)
    return _draw_model_figure(runs[0], kind, data)


def _draw_curves(runs: tuple[str, ...]) -> Any:
    from zoo.hub.resolve import resolve_reference
    from zoo.plots import plot_curves
    from zoo.saving.artifact import read_artifact

    return plot_curves(
        {run.rstrip("/").removeprefix("./"): read_artifact(resolve_reference(run).folder).history for run in runs}
    )


def _draw_table(name: str, tables: Path) -> Any:
    from zoo.experiment import Ledger
    from zoo.experiment.figures import make_table_entries
    from zoo.experiment.freshness import select_full_cells
    from zoo.plots import plot_table
    from zoo.plugins.catalog import CATALOG

    spec = CATALOG.registry("experiments")[name]
    cells = select_full_cells(spec, Ledger(tables / f"{name}.jsonl").read_cells())
    return plot_table(make_table_entries(spec, cells, spec.metrics[0]), title=spec.summary)


def _draw_model_figure(run: str, kind: str, data: str | None) -> Any:
    from zoo.api import load
    from zoo.plots import plot_class_scores, plot_confusion_matrix, plot_images

    model = load(run)
    if model.spec.task_info.is_generative:
        if kind != "images":
            raise ConfigError(f"{run} generates images and has no {kind}; use --kind images")
        return plot_images(model.sample(NUM_IMAGES), columns=10)
    images = _load_test_images(model, run, kind, data)
    if kind == "images":
        sample = images.take(min(NUM_IMAGES, len(images)), seed=0)
        return plot_images(sample, predicted=model.predict(sample).tolist(), columns=10)
    result = model.evaluate(images)
    return plot_confusion_matrix(result) if kind == "confusion" else plot_class_scores(result)


def _load_test_images(model: Model, run: str, kind: str, data: str | None) -> Images:
    if data is None:
        raise ConfigError(f"--kind {kind} of {run} needs labelled images: add --data, such as --data fashion-mnist")
    preprocessing = model.preprocessing
    return load_dataset(data, preprocessing.size, preprocessing.resize).test.with_classes(model.classes)
