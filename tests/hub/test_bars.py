"""Test that large downloads show a progress bar on a terminal, and nowhere else."""

import os
import struct
import sys
from pathlib import Path

import pytest

from tests.hub import artifact

pty = pytest.importorskip("pty")
ROOT = Path(__file__).parents[2]
PULL = "from zoo.hub import pull; print(pull('hf:ann/model').source)"


def seen_on_a_terminal(source: str) -> str:
    """Run Python on a terminal of 100 columns, and return its output."""
    import fcntl
    import termios

    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    ends = [(os.POSIX_SPAWN_DUP2, there, number) for number in (0, 1, 2)]
    words = [sys.executable, "-c", source]
    pid = os.posix_spawn(sys.executable, words, {**os.environ, "PYTHONPATH": str(ROOT)}, file_actions=ends)
    os.close(there)
    shown = b""
    try:
        while part := os.read(here, 4096):
            shown += part
    except OSError:
        pass  # so a terminal ends whose last user has gone
    os.close(here)
    assert os.waitpid(pid, 0)[1] == 0, shown.decode()
    return shown.decode()


def test_only_large_files_have_a_bar(hub):
    hub.store.plant(hub.store.create("ann/model"), artifact.files(1, width=500_000))
    shown = seen_on_a_terminal(PULL)
    assert "model.safetensors: 100%|" in shown
    assert "2.00M/2.00M" in shown
    assert "config.json" not in shown
    assert shown.rstrip().endswith("hub")


def test_what_is_cached_has_none(hub):
    hub.store.plant(hub.store.create("ann/model"), artifact.files(1, width=500_000))
    seen_on_a_terminal(PULL)
    assert seen_on_a_terminal(PULL).strip() == "cache"
