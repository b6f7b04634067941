"""Progress is a bar on a terminal and lines elsewhere, and can be turned off."""

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


def test_lines_are_printed_if_standard_error_is_not_a_terminal(capfd):
    train = zoo.dataset("fashion-mnist-7x7").train.take(100)
    zoo.create("gcn-7x7", seed=0).fit(train, epochs=3)
    out, err = capfd.readouterr()
    lines = err.strip().splitlines()
    assert out == ""
    assert lines[0].split() == ["epoch", "loss", "accuracy", "lr", "images/s", "seconds"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3"]


def test_nothing_is_printed_without_progress(capfd):
    train = zoo.dataset("fashion-mnist-7x7").train.take(100)
    zoo.create("gcn-7x7", seed=0).fit(train, epochs=1, progress=False)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_shows_a_bar_with_steps_and_time_left():
    """Run the script in a pseudo-terminal and read its output."""
    terminal, child_terminal = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=child_terminal, stdout=child_terminal, stderr=child_terminal, env=env
    ) as process:
        os.close(child_terminal)
        output = _read_all(terminal, process)
    os.close(terminal)
    assert process.returncode == 0, output
    assert "400" in output
    assert "steps" in output
    assert "left" in output
    assert "val accuracy" in output


def _read_all(terminal, process):
    parts = []
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        try:
            data = os.read(terminal, 65536) if ready else b""
        except OSError:  # Linux raises this when the other end is closed
            break
        parts.append(data)
        if not data and process.poll() is not None:
            break
    return b"".join(parts).decode(errors="replace")
