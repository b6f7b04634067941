"""Training shows itself: a bar on a terminal, lines elsewhere, nothing when not wanted."""

import io
import os
import pty
import re
import select
import subprocess
import sys
from contextlib import nullcontext

from rich.console import Console

import zoo
from zoo.recipe import Recipe
from zoo.training.callbacks import Training
from zoo.training.progress import CellProgress

SCRIPT = """
import zoo
train = zoo.dataset("fashion-mnist-7x7").train
zoo.create("gcn-7x7", seed=0).fit(train.take(12800), validation=train.take(100), epochs=2)
"""


def test_lines_are_printed_when_standard_error_is_no_terminal(capfd):
    train = zoo.dataset("fashion-mnist-7x7").train.take(100)
    zoo.create("gcn-7x7", seed=0).fit(train, epochs=3)
    out, err = capfd.readouterr()
    lines = err.strip().splitlines()
    assert out == ""
    assert lines[0].split() == ["epoch", "loss", "accuracy", "lr", "images/s", "seconds"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3"]


def test_nothing_is_printed_when_not_wanted(capfd):
    train = zoo.dataset("fashion-mnist-7x7").train.take(100)
    zoo.create("gcn-7x7", seed=0).fit(train, epochs=1, progress=False)
    assert capfd.readouterr() == ("", "")


def test_a_bar_with_steps_and_time_left_runs_on_a_terminal():
    """Run the script on a pseudo-terminal and read what is drawn there."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=theirs, stdout=theirs, stderr=theirs, env=env
    ) as process:
        os.close(theirs)
        drawn = _drained(ours, process)
    os.close(ours)
    assert process.returncode == 0, drawn
    assert "400" in drawn
    assert "steps" in drawn
    assert "left" in drawn
    assert "val accuracy" in drawn


def _drained(terminal, process):
    parts = []
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        try:
            data = os.read(terminal, 65536) if ready else b""
        except OSError:  # Linux says so when the other end is closed
            break
        parts.append(data)
        if not data and process.poll() is not None:
            break
    return b"".join(parts).decode(errors="replace")


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
