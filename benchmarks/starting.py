"""Compare how long a fresh Python takes to import a library and list its models."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows, run_in_turn

SOURCES = {
    "zoo": ("import zoo; names = list(zoo.models)", "`import zoo; list(zoo.models)`"),
    "zoo list": ("import sys; sys.argv = ['zoo', 'list']; from zoo.cli.main import main; main()", "the shell command"),
    "timm": ("import timm; names = timm.list_models()", "`import timm; timm.list_models()`"),
    "torchvision": ("from torchvision.models import list_models; names = list_models()", "`list_models()`"),
    "Python": ("pass", "an empty program"),
}


def run(repeats: int) -> Result:
    """Compare importing and listing."""
    peers = [Peer(label=name, run=_in_fresh_python(source), note=note) for name, (source, note) in SOURCES.items()]
    run_in_turn(peers, repeats)
    return Result(
        name="starting",
        title="Starting",
        about="A fresh Python starts, imports, lists the names of all models, and ends.",
        unit="start",
        rows=make_rows(peers),
        checks=["zoo lists without importing torch. The whole process is measured."],
        where=describe_machine(),
    )


def _in_fresh_python(source: str) -> Callable[[], None]:
    def start() -> None:
        subprocess.run([sys.executable, "-W", "ignore", "-c", source], check=True, stdout=subprocess.DEVNULL)

    return start
