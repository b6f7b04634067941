"""`zoo sweep`: train over a grid of options and seeds."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.options import RecipeCommand, device_option, json_option, list_values, parse_pairs, parse_seeds
from zoo.cli.output import Column, print_json, print_table, print_text

if TYPE_CHECKING:
    from zoo.tuning.sweep import TrialResult

UNSAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9.-]+")
EXAMPLES = """
\b
Examples:
  zoo sweep gcn-7x7 fashion-mnist-7x7 --grid lr=0.01,0.003 --seeds 3
  zoo sweep cnn-7x7 fashion-mnist-7x7 --grid lr=0.001,0.003 \\
      --config hidden=64,128 --epochs 5 --jobs 2
"""


@click.command(cls=RecipeCommand, epilog=EXAMPLES)
@click.argument("model")
@click.argument("data")
@click.option(
    "--grid", multiple=True, callback=parse_pairs, metavar="FIELD=A,B,...", help="Values for a field of the recipe."
)
@click.option(
    "--config", multiple=True, callback=parse_pairs, metavar="OPTION=A,B,...", help="Values for an option of the model."
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    callback=parse_pairs,
    metavar="FIELD=VALUE",
    help="A field of the recipe for all trials.",
)
@click.option("--epochs", type=int, help="Passes over the training images.")
@click.option("--recipe", help="Name of one of the model's recipes.")
@click.option(
    "--seeds", callback=parse_seeds, default="1", show_default=True, help="How many seeds, or which: 5, or 0,3."
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Trainings at the same time.")
@click.option("--metric", default="val_accuracy", show_default=True, help="Column of the history to rank by.")
@device_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the results. Trainings in it are not run again.  [default: runs/sweep-MODEL.jsonl]",
)
@json_option
def sweep(
    model: str,
    data: str,
    grid: dict[str, Any],
    config: dict[str, Any],
    changes: dict[str, Any],
    epochs: int | None,
    recipe: str | None,
    seeds: tuple[int, ...],
    jobs: int,
    metric: str,
    device: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Train MODEL on DATA with every combination of --grid and --config and every seed, and rank them.

    Trials are compared on validation images, a tenth of the training images (or --set validation=FRACTION), never on
    the test images. Run it again to train only what is missing.
    """
    from zoo.errors import TrainingError
    from zoo.experiment.ledger import Ledger
    from zoo.tuning.grid import make_trials
    from zoo.tuning.ranking import rank_trials
    from zoo.tuning.sweep import sweep as run_sweep

    fixed = changes if epochs is None else {**changes, "epochs": epochs}
    full_grid = {**{name: (value,) for name, value in fixed.items()}, **list_values(grid)}
    trials = make_trials(model, data, grid=full_grid, config=list_values(config), recipe=recipe)
    ledger = Ledger(out or Path("runs") / f"sweep-{UNSAFE_CHARACTERS.sub('-', model)}.jsonl")

    options: dict[str, Any] = {"seeds": seeds, "jobs": jobs, "device": device, "metric": metric}
    try:
        swept = run_sweep(trials, ledger, **options, on_done=partial(_print_trial, metric))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; to go on from {ledger.path}, run the same command again") from None
    rows = rank_trials(swept.cells, metric)
    if as_json:
        failed = [{"trial": label, "seed": seed, "error": text} for (label, seed), text in swept.failures.items()]
        print_json({"trials": rows, "failed": failed, "results": str(ledger.path)})
    elif rows:
        _print_ranking(rows, metric, ledger.path)
    if swept.failures:
        (label, seed), text = next(iter(swept.failures.items()))
        raise TrainingError(f"{len(swept.failures)} trainings failed, the first of them {label}, seed {seed}: {text}")


def _print_trial(metric: str, result: TrialResult) -> None:
    """Print the result of one training on standard error."""
    cell = result.cell
    outcome = f"{metric} {cell.metrics[metric]:.4f}, {cell.seconds:.1f} s" if cell else "failed"
    text = f"[{result.number}/{result.total}] {result.trial.label}, seed {result.seed}: {outcome}"
    print_text(text, indent="  ", err=True)


def _print_ranking(rows: list[dict[str, Any]], metric: str, path: Path) -> None:
    """Print the trials, best first: mean and standard deviation of the metric over the seeds."""
    seeds = any(row.get("n", 1) > 1 for row in rows)
    columns = (
        Column("trial", wrap=True),
        Column(metric, right=True),
        *([Column("std", right=True, drop_order=1), Column("seeds", right=True, drop_order=2)] if seeds else []),
        Column("seconds", right=True, drop_order=3),
    )
    print_table([_format_row(row, metric) for row in rows], columns)
    print_text(f"all results are in {path}")


def _format_row(row: dict[str, Any], metric: str) -> dict[str, Any]:
    formats = {"mean": ".4f", "std": ".4f", "seconds": ".1f"}
    texts = {key: format(row[key], form) if row.get(key) is not None else "" for key, form in formats.items()}
    return {
        "trial": row["trial"],
        metric: texts["mean"],
        "std": texts["std"],
        "seeds": row["n"],
        "seconds": texts["seconds"],
    }
