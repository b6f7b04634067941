"""Starting: importing and listing all models, each in a fresh Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.side_by_side import Peer, Result, in_turn, rows_of, where

SOURCES = {
    "zoo": ("import zoo; names = list(zoo.models)", "`import zoo; list(zoo.models)`"),
    "zoo list": ("import sys; sys.argv = ['zoo', 'list']; from zoo.cli.main import main; main()", "the shell command"),
    "timm": ("import timm; names = timm.list_models()", "`import timm; timm.list_models()`"),
    "torchvision": ("from torchvision.models import list_models; names = list_models()", "`list_models()`"),
    "Python": ("pass", "an empty program"),
}


def run(repeats: int) -> Result:
    """Compare starting and listing."""
    peers = [Peer(label=name, run=_fresh(source), note=note) for name, (source, note) in SOURCES.items()]
    in_turn(peers, repeats)
    return Result(
        name="starting",
        title="Starting",
        about="A fresh Python starts, imports, lists the names of all models, and ends.",
        unit="start",
        rows=rows_of(peers),
        checks=["zoo lists without torch; what is measured is the whole process."],
        where=where(),
    )


def _fresh(source: str) -> Callable[[], None]:
    def start() -> None:
        subprocess.run([sys.executable, "-W", "ignore", "-c", source], check=True, stdout=subprocess.DEVNULL)

    return start
