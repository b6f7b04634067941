"""Training shows itself: a bar on a terminal, lines elsewhere, nothing when not wanted."""

import os
import pty
import select
import subprocess
import sys

import zoo

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
