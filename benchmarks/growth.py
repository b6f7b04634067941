"""Growth: time and memory of an epoch as the grid and the data grow, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import torch

from benchmarks.side_by_side import Peer, Result, rows_of, where

GRIDS = {7: 16384, 14: 8192, 28: 2048, 56: 512}
"""Images for each side of the grid."""
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
data = data if side == 7 else data.resize(side, how="sample")
model = zoo.create("gcn-7x7", seed=0, size=(side, side))
if kind == "zoo":
    run = lambda: model.fit(data, epochs=1, progress=False, device="cpu")
else:
    objects = gcn.graphs(data.images.float() / 255, data.labels)
    net = gcn.Tutorial((1, 16, 32, 10))
    run = lambda: gcn.train(net, gcn.graph_batches(objects, torch.randperm(images)), fused=False)
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
        found = _measured(side, images, kind, min(repeats, 3))
        peer = Peer(label=label, run=lambda: None, note="", seconds=found["seconds"])
        peers.append(peer)
        fastest = min(found["seconds"])
        more[label] = {
            "ns a pixel": round(fastest / images / side**2 * 1e9, 1),
            "MB added": round(found["memory"]),
        }
        print(f"  {label}: {fastest:.3f} s", file=sys.stderr)
    return Result(
        name="growth",
        title="Growth with the grid and with the data",
        about="One epoch of `gcn-7x7` over larger grids, and over more images; batch 64. Memory is what the process "
        "grew by while training.",
        unit="epoch",
        rows=rows_of(peers, **more),
        checks=_checks(more),
        where=where(),
    )


def _measured(side: int, images: int, kind: str, repeats: int) -> dict[str, list[float]]:
    arguments = [str(side), str(images), kind, str(torch.get_num_threads()), str(repeats)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, *arguments], check=True, capture_output=True, text=True
    )
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _checks(more: dict[str, dict[str, float]]) -> list[str]:
    mine = [cells["ns a pixel"] for label, cells in more.items() if label.startswith("zoo")][: len(GRIDS)]
    theirs = [cells["ns a pixel"] for label, cells in more.items() if label.startswith("PyTorch")]
    ratios = ", ".join(f"{b / a:.0f} at {side}" for a, b, side in zip(mine, theirs, GRIDS, strict=True))
    return [
        f"A pixel costs {max(mine) / min(mine):.1f} times as much at the dearest grid as at the cheapest.",
        f"PyTorch Geometric's time a pixel over zoo's: {ratios}.",
    ]
