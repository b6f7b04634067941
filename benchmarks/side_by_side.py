"""Measure peers in turn in one process (A B C, A B C, ...); store all seconds, and the machine they depend on."""

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
    """One way to do the work of a comparison.

    Args:
        label: Name in the table.
        run: Function that does the work once; it may return a figure, such as a loss.
        note: How the peer is set up.
        figures: What `run` returned in each round, the warm-up included.
        seconds: Wall time of each timed round.
    """

    label: str
    run: Callable[[], Any]
    note: str = ""
    seconds: list[float] = field(default_factory=list)
    figures: list[Any] = field(default_factory=list)


@dataclass(kw_only=True)
class Result:
    """The result of a comparison.

    Args:
        name: Name of the comparison and of its file.
        title: Heading on the page.
        about: The work of one round, and how the peers are made equal.
        unit: Name of one round, such as `epoch`.
        rows: A row for each peer: label, note, seconds of each round, and other figures.
        checks: Sentences about what was checked, such as equal losses.
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
        """Write the result as JSON, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")
        return path


def run_in_turn(peers: Sequence[Peer], repeats: int, *, warm_up: int = 1) -> None:
    """Run the peers one after the other in `warm_up` + `repeats` rounds; store the seconds of the last `repeats`."""
    for round_index in range(warm_up + repeats):
        for peer in peers:
            start = time.perf_counter()
            figure = peer.run()
            seconds = time.perf_counter() - start
            peer.figures.append(figure)
            if round_index >= warm_up:
                peer.seconds.append(seconds)
            print(f"  round {round_index + 1}: {peer.label} {seconds:.4f} s", file=sys.stderr)


def make_rows(peers: Sequence[Peer], *, digits: int = 5, **more: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each peer; its ratio is the median, over rounds, of its seconds divided by the first peer's."""
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


def describe_machine() -> dict[str, Any]:
    """Return what the seconds depend on: versions, processor, threads, and the load of the last minute."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except ModuleNotFoundError:
            versions[name] = "not installed"
    return {
        "versions": {"zoo-models": version("zoo-models"), **versions, "python": platform.python_version()},
        "processor": _get_processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
    }


def _get_processor() -> str:
    import llvmlite.binding as llvm

    return f"{platform.machine()} {llvm.get_host_cpu_name()}"


def max_difference(losses: Sequence[float], reference: Sequence[float]) -> float:
    """Return the largest relative difference of losses from reference losses."""
    return max(abs(a - b) / abs(b) for a, b in zip(losses, reference, strict=True))
