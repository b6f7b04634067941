"""Run comparisons by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import torch

from benchmarks.report import render_result, write_page
from benchmarks.side_by_side import FOLDER

NAMES = {
    "gcn-training": "benchmarks.gcn_training:run",
    "gcn-training-28": "benchmarks.gcn_training:run_28",
    "prediction": "benchmarks.prediction:run",
    "latency": "benchmarks.prediction:run_latency",
    "cnn-simple-training": "benchmarks.cnn_training:run",
    "cnn-deep-training": "benchmarks.cnn_training:run_deep",
    "data-path": "benchmarks.data_path:run",
    "starting": "benchmarks.starting:run",
    "growth": "benchmarks.growth:run",
    "floor": "benchmarks.floor:run",
    "progress": "benchmarks.progress:run",
    "large-set": "benchmarks.survival:compare_large_set",
    "checkpoints": "benchmarks.survival:compare_checkpoints",
    "processes": "benchmarks.survival:compare_processes",
}


@click.command()
@click.argument("name", type=click.Choice([*NAMES, "all", "report"]))
@click.option("--repeats", default=5, show_default=True, help="Number of timed rounds, after one to warm up.")
@click.option("--threads", type=int, help="Number of torch threads; by default the number of cores.")
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER, help="Folder of the results.")
def main(name: str, repeats: int, threads: int | None, out: Path) -> None:
    """Run the comparison NAME, print it, and write it as JSON. `report` writes docs/benchmarks.md from all results."""
    if threads:
        torch.set_num_threads(threads)
    for each in [] if name == "report" else NAMES if name == "all" else [name]:
        module, _, function = NAMES[each].partition(":")
        run: Callable[[int], object] = getattr(import_module(module), function)
        result = run(repeats)
        path = result.write(out)  # type: ignore[attr-defined]
        print("\n".join(render_result(json.loads(path.read_text()))))
    if name in ("report", "all"):
        print(f"written: {write_page(out)}")


if __name__ == "__main__":
    main()
