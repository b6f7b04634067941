"""Measure checkpoints, two processes, and a data set that stays on the disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import zoo
from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows, run_in_turn
from zoo.data.readers.on_disk import write_image_batches
from zoo.signature import Classes

NUM_IMAGES, BATCH, SECONDS = 2_000_000, 20_000, 20
MAX_MEMORY, MIN_SPEED = 1500, 0.8
"""Limits for a set on the disk: resident memory in MB, and speed relative to a set in memory."""
LARGE = """
import json, sys, torch, zoo
torch.set_num_threads(int(sys.argv[3]))
train = zoo.dataset(sys.argv[1], lazy=sys.argv[2] == "disk").train
model = zoo.create("cnn-7x7", size=28, widths=(4, 8), hidden=16, seed=0)
model.fit(train, epochs=1, batch_size=256, time_limit=float(sys.argv[4]), progress=False, device="cpu")
row = model.history[-1]
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM"))
print(json.dumps({"speed": row["images_per_second"], "MB": peak, "loss": row["loss"]}))
"""
PAIR = """
import json, os, sys, torch, zoo
torch.set_num_threads(1)
train = zoo.dataset("fashion-mnist-7x7").train.take(12_800)
size = 128 // int(os.environ.get("WORLD_SIZE", "1"))
model = zoo.create("cnn-7x7", seed=0).fit(train, epochs=3, batch_size=size, progress=False, device="cpu")
if os.environ.get("RANK", "0") == "0":
    print(json.dumps({"seconds": model.history["seconds"], "loss": model.history["loss"]}))
"""


def compare_large_set(repeats: int) -> Result:
    """Compare training on 2,000,000 images of 28 x 28 on the disk and in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.safetensors"
        write_image_batches(path, _iter_batches(), NUM_IMAGES, shape=(1, 28, 28), classes=Classes.numbered(10))
        peers = [
            Peer(label="in memory", run=partial(_run_source, LARGE, path, "memory", torch.get_num_threads(), SECONDS)),
            Peer(label="on the disk", run=partial(_run_source, LARGE, path, "disk", torch.get_num_threads(), SECONDS)),
        ]
        run_in_turn(peers, min(repeats, 3), warm_up=0)
    speeds = [[figure["speed"] for figure in peer.figures] for peer in peers]
    ratio = sorted(disk / memory for memory, disk in zip(*speeds, strict=True))[len(speeds[0]) // 2]
    peak = max(figure["MB"] for figure in peers[1].figures)
    memory_verdict, speed_verdict = _format_verdict(peak <= MAX_MEMORY), _format_verdict(ratio >= MIN_SPEED)
    verdicts = [
        f"Largest resident memory on the disk: {peak} MB (bar {MAX_MEMORY} MB): {memory_verdict}.",
        f"Median speed on the disk: {ratio:.2f} of that in memory (bar {MIN_SPEED}): {speed_verdict}.",
    ]
    more = {peer.label: _format_figures(peer.figures) for peer in peers}
    return Result(
        name="large-set",
        title="A set of 2,000,000 images",
        about=f"A small CNN on images of 28 x 28 pixels, batch 256, shuffled, {SECONDS} s of an epoch, each in a "
        "process of its own; the file was just written, so the system's cache holds what it has room for. Seconds are "
        "those of whole processes, reading the file into memory among them; images a second are those of training, a "
        "round each; MB are the most that a process held.",
        unit="process",
        rows=make_rows(peers, **more),
        checks=verdicts,
        where=describe_machine(),
    )


def _format_figures(figures: list[dict[str, Any]]) -> dict[str, Any]:
    speeds = [round(figure["speed"]) for figure in figures]
    return {"images a second": speeds, "MB": max(figure["MB"] for figure in figures)}


def _iter_batches() -> Iterator[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    for _ in range(NUM_IMAGES // BATCH):
        labels = torch.randint(10, (BATCH,), generator=generator)
        noise = torch.randint(200, (BATCH, 1, 28, 28), generator=generator, dtype=torch.uint8)
        yield noise + (labels * 5).to(torch.uint8).view(-1, 1, 1, 1), labels


def _run_source(source: str, *args: object) -> dict[str, Any]:
    return _run_command([sys.executable, "-c", source, *map(str, args)])


def _run_command(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _format_verdict(is_met: bool) -> str:
    return "held" if is_met else "missed"


def compare_checkpoints(repeats: int) -> Result:
    """Compare training with and without checkpoints."""
    train = zoo.dataset("fashion-mnist-7x7").train.take(12_800)
    numbers = count()
    with tempfile.TemporaryDirectory() as folder:

        def fit(**options: Any) -> float:
            run_options = {"checkpoint": f"{folder}/{next(numbers)}", **options} if options else {}
            model = zoo.create("cnn-7x7", seed=0)
            model.fit(train, epochs=3, batch_size=64, progress=False, device="cpu", **run_options)
            shutil.rmtree(run_options.get("checkpoint", ""), ignore_errors=True)
            return float(model.history[-1]["loss"])

        peers = [
            Peer(label="no checkpoints", run=fit),
            Peer(
                label="each epoch",
                run=partial(fit, checkpoint_every="epoch"),
                note='`checkpoint=..., checkpoint_every="epoch"`',
            ),
            Peer(label="each 50 steps", run=partial(fit, checkpoint_every="50 steps"), note="a quarter of an epoch"),
        ]
        run_in_turn(peers, repeats)
    if len({figure for peer in peers for figure in peer.figures}) != 1:
        raise SystemExit("checkpoints changed what was trained")
    return Result(
        name="checkpoints",
        title="What checkpoints cost",
        about="Three epochs of `cnn-7x7` (421,642 weights, Adam: 5 MB a checkpoint) on 12,800 images, batch 64; every "
        "file is written through to the disk, and one more checkpoint is written before the first step.",
        unit="fit",
        rows=make_rows(peers),
        checks=["The losses of all are equal to the last bit."],
        where=describe_machine(),
    )


def compare_processes(repeats: int) -> Result:
    """Compare training in two processes and in one, with the same global batch."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "pair.py"
        script.write_text(PAIR)
        alone = [sys.executable, str(script)]
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
        peers = [
            Peer(label="one process", run=_time_command(alone)),
            Peer(label="two processes", run=_time_command(launch)),
        ]
        run_in_turn(peers, repeats, warm_up=0)
    for peer in peers:
        peer.seconds = [sum(figure["seconds"][1:]) for figure in peer.figures]
    pairs = zip(peers[0].figures[0]["loss"], peers[1].figures[0]["loss"], strict=True)
    worst = max(abs(one - two) for one, two in pairs)
    return Result(
        name="processes",
        title="Two processes on one machine",
        about="The second and third epoch of `cnn-7x7` on 12,800 images, global batch 128, gloo on the CPU, one thread "
        "a process; starting the processes is not counted.",
        unit="pair of epochs",
        rows=make_rows(peers),
        checks=[f"The losses of the three epochs differ by at most {worst:.1e}: rounding, grown over 300 steps."],
        where=describe_machine(),
    )


def _time_command(command: list[str]) -> Callable[[], dict[str, Any]]:
    return lambda: _run_command(command)
