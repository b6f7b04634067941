"""The cells of an experiment are shown as a bar on a terminal and as lines elsewhere, or not at all."""

import io
import re
from contextlib import nullcontext

from rich.console import Console

from zoo.experiment.progress import CellProgress
from zoo.recipe import Recipe
from zoo.training.callbacks import Training


def run_cells(cells):
    """Show two finished cells of three, and one epoch of the third."""
    with cells.bar or nullcontext():
        for index in range(2):
            cells.begin(f"row, seed {index}", None if index == 0 else 600.0)
            cells.end("accuracy 0.5000, 2.0 s")
        cells.begin("row, seed 2", 300.0)
        cells.on_epoch(Training(recipe=Recipe(epochs=7), nets={}, scored={}, steps=1, epoch=4))


def test_a_terminal_shows_a_bar_and_a_line_for_each_finished_cell():
    text = io.StringIO()
    cells = CellProgress(Console(file=text, force_terminal=True, width=120), 3)
    run_cells(cells)
    assert cells.callbacks == [cells]
    output = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.getvalue())
    assert "[2/3] row, seed 1: accuracy 0.5000, 2.0 s\n" in output.replace("\r", "")
    assert re.search(r"cells 2/3 .*row, seed 2, epoch 4/7; about 5 min left", output)


def test_other_outputs_get_lines_and_no_console_gets_nothing():
    text = io.StringIO()
    run_cells(CellProgress(Console(file=text, width=120), 3))
    assert text.getvalue().splitlines() == [
        "[1/3] row, seed 0: accuracy 0.5000, 2.0 s",
        "[2/3] row, seed 1: accuracy 0.5000, 2.0 s; about 10 min left",
    ]
    run_cells(CellProgress(None, 3))
