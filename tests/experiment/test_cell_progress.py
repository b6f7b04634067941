"""An experiment shows its cells: a bar on a terminal, lines elsewhere, nothing when progress is off."""

import io
import re
from contextlib import nullcontext

from rich.console import Console

from zoo.experiment.progress import CellProgress
from zoo.recipe import Recipe
from zoo.training.callbacks import Training


def told(cells):
    """Run two cells of three, and one epoch of the third."""
    with cells.bar or nullcontext():
        for place in range(2):
            cells.begin(f"row, seed {place}", None if place == 0 else 600.0)
            cells.end("accuracy 0.5000, 2.0 s")
        cells.begin("row, seed 2", 300.0)
        cells.on_epoch(Training(recipe=Recipe(epochs=7), nets={}, scored={}, steps=1, epoch=4))


def test_cells_are_counted_in_a_bar_on_a_terminal_with_a_line_for_each_that_is_done():
    text = io.StringIO()
    cells = CellProgress(Console(file=text, force_terminal=True, width=120), 3)
    told(cells)
    assert cells.callbacks == [cells]
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.getvalue())
    assert "[2/3] row, seed 1: accuracy 0.5000, 2.0 s\n" in shown.replace("\r", "")
    assert re.search(r"cells 2/3 .*row, seed 2, epoch 4/7; about 5 min left", shown)


def test_cells_are_lines_elsewhere_and_nothing_when_nobody_wants_them():
    text = io.StringIO()
    told(CellProgress(Console(file=text, width=120), 3))
    assert text.getvalue().splitlines() == [
        "[1/3] row, seed 0: accuracy 0.5000, 2.0 s",
        "[2/3] row, seed 1: accuracy 0.5000, 2.0 s; about 10 min left",
    ]
    told(CellProgress(None, 3))
