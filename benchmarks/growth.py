"""Measure how time and memory of an epoch grow with the grid and the data, each case in its own process."""

from __future__ import annotations

import json
import subprocess
import sys

import torch

from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows

GRIDS = {7: 16384, 14: 8192, 28: 2048, 56: 512}
"""Number of images for each side of the grid."""
SCALES = (1, 4, 16)
CHILD = """
import json, resource, sys, time
import torch
torch.set_num_threads(int(sys.argv[4]))
import zoo
from benchmarks.peers import gcn
side, images, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
data = zoo.dataset("fashion-mnist-7x7").train
data = data[torch.arange(images) % len(data)]
data = data if side == 7 else data.resize(side, mode="sample")
model = zoo.create("gcn-7x7", seed=0, size=(side, side))
if kind == "zoo":
    run = lambda: model.fit(data, epochs=1, progress=False, device="cpu")
else:
    objects = gcn.make_graphs(data.images.float() / 255, data.labels)
    net = gcn.Tutorial((1, 16, 32, 10))
    run = lambda: gcn.train_epoch(net, gcn.iter_graph_batches(objects, torch.randperm(images)), fused=False)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run()
seconds = []
for _ in range(int(sys.argv[5])):
    start = time.perf_counter()
    run()
    seconds.append(time.perf_counter() - start)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "memory": (after - before) / 1024}))
"""


def run(repeats: int) -> Result:
    """Measure zoo over grids and amounts of data, and PyTorch Geometric over grids."""
    cases = [("zoo", side, images) for side, images in GRIDS.items()]
    cases += [("PyTorch Geometric", side, min(images, 1024)) for side, images in GRIDS.items()]
    cases += [("zoo", 7, 60000 * scale) for scale in SCALES]
    peers, more = [], {}
    for kind, side, images in cases:
        label = f"{kind}, {side} x {side}, {images:,} images"
        measured = _measure(side, images, kind, min(repeats, 3))
        peer = Peer(label=label, run=lambda: None, note="", seconds=measured["seconds"])
        peers.append(peer)
        fastest = min(measured["seconds"])
        more[label] = {
            "ns a pixel": round(fastest / images / side**2 * 1e9, 1),
            "MB added": round(measured["memory"]),
        }
        print(f"  {label}: {fastest:.3f} s", file=sys.stderr)
    return Result(
        name="growth",
        title="Growth with the grid and with the data",
        about="One epoch of `gcn-7x7` over larger grids, and over more images; batch 64. Memory is the growth "
        "of the process during training.",
        unit="epoch",
        rows=make_rows(peers, **more),
        checks=_make_checks(more),
        where=describe_machine(),
    )


def _measure(side: int, images: int, kind: str, repeats: int) -> dict[str, list[float]]:
    arguments = [str(side), str(images), kind, str(torch.get_num_threads()), str(repeats)]
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, *arguments], check=True, capture_output=True, text=True
    )
    measured: dict[str, list[float]] = json.loads(process.stdout.splitlines()[-1])
    return measured


def _make_checks(more: dict[str, dict[str, float]]) -> list[str]:
    zoo_costs = [cells["ns a pixel"] for label, cells in more.items() if label.startswith("zoo")][: len(GRIDS)]
    peer_costs = [cells["ns a pixel"] for label, cells in more.items() if label.startswith("PyTorch")]
    ratios = ", ".join(f"{b / a:.0f} at {side}" for a, b, side in zip(zoo_costs, peer_costs, GRIDS, strict=True))
    return [
        f"A pixel costs {max(zoo_costs) / min(zoo_costs):.1f} times as much on the most expensive grid as on the "
        "cheapest.",
        f"Time per pixel of PyTorch Geometric divided by zoo's: {ratios}.",
    ]
