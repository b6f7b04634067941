"""Peers measured in one process, in turn: A B C, A B C, ...; a result with all its seconds, and where it was taken."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

FOLDER = Path(__file__).parents[1] / "docs" / "benchmarks"
PACKAGES = (
    "torch",
    "torch_geometric",
    "llvmlite",
    "onnxruntime",
    "lightning",
    "skorch",
    "timm",
    "numpy",
    "safetensors",
)


@dataclass(kw_only=True)
class Peer:
    """One way to do the work.

    Args:
        label: What it is called in the table.
        run: Does the work once; it may return figures, such as a loss.
        note: How it is set up.
        figures: What `run` returned, a list a repeat.
        seconds: Wall time of each repeat.
    """

    label: str
    run: Callable[[], Any]
    note: str = ""
    seconds: list[float] = field(default_factory=list)
    figures: list[Any] = field(default_factory=list)


@dataclass(kw_only=True)
class Result:
    """What a comparison found.

    Args:
        name: Its name, and that of its file.
        title: Its heading.
        about: What is done once, and how peers are made equal.
        unit: What one repeat is.
        rows: A row a peer: label, note, seconds of each repeat, and what else was seen.
        checks: Sentences about what was compared before times were.
        where: Versions, processor, threads, load.
    """

    name: str
    title: str
    about: str
    unit: str
    rows: list[dict[str, Any]]
    checks: list[str]
    where: dict[str, Any]

    def write(self, folder: Path = FOLDER) -> Path:
        """Write the result as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")
        return path


def in_turn(peers: Sequence[Peer], repeats: int, *, warm_up: int = 1) -> None:
    """Run the peers one after the other in `warm_up` + `repeats` rounds; keep the seconds of the last `repeats`."""
    for round_ in range(warm_up + repeats):
        for peer in peers:
            start = time.perf_counter()
            figure = peer.run()
            seconds = time.perf_counter() - start
            peer.figures.append(figure)
            if round_ >= warm_up:
                peer.seconds.append(seconds)
            print(f"  round {round_ + 1}: {peer.label} {seconds:.4f} s", file=sys.stderr)


def rows_of(peers: Sequence[Peer], *, digits: int = 5, **more: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row a peer; ratios are medians over rounds of its seconds against the first peer's."""
    first = peers[0]
    return [
        {
            "label": peer.label,
            "note": peer.note,
            "seconds": [round(value, digits) for value in peer.seconds],
            "median": round(statistics.median(peer.seconds), digits),
            "fastest": round(min(peer.seconds), digits),
            "ratio": round(statistics.median(a / b for a, b in zip(peer.seconds, first.seconds, strict=True)), 2),
            **more.get(peer.label, {}),
        }
        for peer in peers
    ]


def where() -> dict[str, Any]:
    """Return what a figure depends on: versions, processor, threads, and the load of the last minute."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except ModuleNotFoundError:
            found[name] = "not installed"
    return {
        "versions": {"zoo-models": version("zoo-models"), **found, "python": platform.python_version()},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    import llvmlite.binding as llvm

    return f"{platform.machine()} {llvm.get_host_cpu_name()}"


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the largest relative difference of two rows of losses."""
    return max(abs(a - b) / abs(b) for a, b in zip(one, other, strict=True))
