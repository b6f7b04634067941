"""Run commands in a pseudo-terminal of a given width."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


def run_in_terminal(words, width, folder):
    """Return the exit code of `zoo WORDS` and the lines that it writes to a terminal, without colours."""
    own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    env |= {"TERM": "xterm-256color", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "zoo", *map(str, words)]
    with subprocess.Popen(command, stdin=other, stdout=other, stderr=other, env=env, cwd=folder) as process:
        os.close(other)
        text = _read_all(own, process)
    os.close(own)
    return process.returncode, re.split(r"[\r\n]+", ESCAPES.sub("", text))


def _read_all(terminal, process):
    parts = []
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        try:
            data = os.read(terminal, 65536) if ready else b""
        except OSError:  # Linux reports the closed other end so
            break
        parts.append(data)
        if not data and process.poll() is not None:
            break
    return b"".join(parts).decode(errors="replace")
