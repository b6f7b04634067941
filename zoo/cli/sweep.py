"""`zoo sweep`: train over a grid of options and seeds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.experiment import parse_seeds
from zoo.cli.fit import parse_pairs
from zoo.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from zoo.tuning.sweep import TrialResult

UNSAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9.-]+")
EXAMPLES = """
\b
zoo sweep gcn-7x7 fashion-mnist-7x7 --grid lr=0.01,0.003 --grid batch_size=64,256 --seeds 3
zoo sweep cnn-7x7 fashion-mnist-7x7 --grid lr=0.001,0.003 --config hidden=64,128 --epochs 5 --jobs 2
"""


@click.command(epilog=EXAMPLES)
@click.argument("model")
@click.argument("data")
@click.option(
    "--grid", multiple=True, callback=parse_pairs, metavar="FIELD=A,B,...", help="Values of a field of the recipe."
)
@click.option(
    "--config", multiple=True, callback=parse_pairs, metavar="OPTION=A,B,...", help="Values of a model's option."
)
@click.option(
    "--set", "changes", multiple=True, callback=parse_pairs, metavar="FIELD=VALUE", help="A field for all trials."
)
@click.option("--epochs", type=int, help="Passes over the training images.")
@click.option("--recipe", help="One of the model's recipes by name.")
@click.option(
    "--seeds", callback=parse_seeds, default="1", show_default=True, help="How many seeds, or which: 5, or 0,3."
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Trainings at a time.")
@click.option("--metric", default="val_accuracy", show_default=True, help="What trials are ranked by.")
@click.option("--device", help="cpu, cuda, cuda:1 or mps.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the results; trainings in it are not run again.  [default: runs/sweep-MODEL.jsonl]",
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

    Trials are compared on held-out training images (a tenth, or --set validation=SHARE), never on the test images.
    Run again, it trains only what is missing.
    """
    from zoo.errors import TrainingError
    from zoo.experiment.ledger import Ledger
    from zoo.tuning.grid import make_trials
    from zoo.tuning.ranking import rank_trials
    from zoo.tuning.sweep import sweep as swept_over

    fixed = changes if epochs is None else {**changes, "epochs": epochs}
    whole = {**{name: (value,) for name, value in fixed.items()}, **_to_tuples(grid)}
    points = make_trials(model, data, grid=whole, config=_to_tuples(config), recipe=recipe)
    ledger = Ledger(out or Path("runs") / f"sweep-{UNSAFE_CHARACTERS.sub('-', model)}.jsonl")

    def told(ended: TrialResult) -> None:
        shown = f"{metric} {ended.cell.metrics[metric]:.4f}, {ended.cell.seconds:.1f} s" if ended.cell else "failed"
        click.secho(f"[{ended.index}/{ended.total}] {ended.trial.label}, seed {ended.seed}: {shown}", err=True)

    try:
        swept = swept_over(points, ledger, seeds=seeds, jobs=jobs, device=device, metric=metric, on_done=told)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; what is done is in {ledger.path}, run it again to go on") from None
    rows = rank_trials(swept.cells, metric)
    if as_json:
        failed = [{"trial": label, "seed": seed, "error": text} for (label, seed), text in swept.failures.items()]
        print_json({"trials": rows, "failed": failed, "results": str(ledger.path)})
    elif rows:
        print_table(rows, right_aligned=("mean", "std", "n", "seconds"), title=f"{metric}; all in {ledger.path}")
    if swept.failures:
        (label, seed), text = next(iter(swept.failures.items()))
        raise TrainingError(f"{len(swept.failures)} trainings failed, the first of them {label}, seed {seed}: {text}")


def _to_tuples(values: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return the values of each name; what is no list is one.

    Raises:
        UsageError: A name has no value.
    """
    listed = {name: each if isinstance(each, tuple) else (each,) for name, each in values.items()}
    for name, each in listed.items():
        if not each or each == ("",):
            raise click.UsageError(f"{name} has no value; give {name}=A,B")
    return listed
