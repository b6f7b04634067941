"""Measure listing: 200 models of 50 installed plugins in a fresh Python, compared with an empty program.

    python benchmarks/listing.py [RUNS]

The bar is twice the time of an empty program plus 100 ms, without torch. pip installs the wheels into a temporary
folder. The runs alternate; the median and the fastest of each are printed, with the load of the machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.wheels import install, make_plugin_source, plugin  # noqa: E402 - the wheels of the tests

LIST = """
import sys, zoo
rows = [(key, zoo.models[key].summary) for key in zoo.models if key.startswith("crowd-")]
assert len(rows) == 200 and not {"torch", "numpy"} & sys.modules.keys()
"""


def measure(source: str, site: Path) -> tuple[float, float]:
    """Return the seconds that a fresh Python takes to start, run a source and end: wall time and CPU time."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", source], check=True, env=environment | {"PYTHONPATH": str(site)}, cwd=site)
    wall, after = time.perf_counter() - start, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def main(num_runs: int = 40) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        sources = [make_plugin_source(*(f"crowd-{n}-{k}" for k in range(4))) for n in range(50)]
        members = [plugin(f"zoo-crowd-{n}", source) for n, source in enumerate(sources)]
        site = install(Path(folder) / "site", *members)
        measure(LIST, site)  # compile once, as installing does
        pairs = [(measure("pass", site), measure(LIST, site)) for _ in range(num_runs)]
    for name, pick, clock in (
        ("median", statistics.median, 0),
        ("fastest", min, 0),
        ("median CPU", statistics.median, 1),
    ):
        empty, listing = (1000 * pick([each[clock] for each in column]) for column in zip(*pairs, strict=True))
        bar = 2 * empty + 100
        verdict = "met" if listing <= bar else "missed"
        times = f"empty {empty:.0f} ms, 200 models of 50 plugins {listing:.0f} ms, bar {bar:.0f} ms"
        print(f"{name} of {num_runs}: {times}: {verdict}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
