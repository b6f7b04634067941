"""Measure the cost of the progress bar: training with a live bar on a terminal, and without."""

from __future__ import annotations

import os
import pty
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

import zoo
from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows, run_in_turn

EPOCHS, BAR, ROUNDS = 20, 0.01, 15


def run(repeats: int) -> Result:
    """Compare training with the bar and without."""
    train = zoo.dataset("fashion-mnist-7x7").train
    model = zoo.create("gcn-7x7", seed=0)

    def train_silently() -> None:
        model.reset().fit(train, epochs=EPOCHS, progress=False, device="cpu")

    peers = [
        Peer(label="silent", run=train_silently, note="`progress=False`"),
        Peer(label="live bar", run=_on_terminal(lambda: model.reset().fit(train, epochs=EPOCHS, device="cpu"))),
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the time of two threads varies by more than the cost of the bar
    try:
        run_in_turn(peers, max(repeats, ROUNDS))
    finally:
        torch.set_num_threads(threads)
    costs = [b / a - 1 for a, b in zip(peers[0].seconds, peers[1].seconds, strict=True)]
    fastest_cost = min(peers[1].seconds) / min(peers[0].seconds) - 1
    return Result(
        name="progress",
        title="Showing progress",
        about=f"{EPOCHS} epochs of `gcn-7x7`, the fastest training: {EPOCHS * len(train):,} images. The bar "
        "is shown on a pseudo-terminal. In one thread.",
        unit="training",
        rows=make_rows(peers),
        checks=[
            f"The bar costs {statistics.median(costs):.1%} (median of rounds), {fastest_cost:.1%} by the fastest round "
            f"(limit {BAR:.0%})."
        ],
        where=describe_machine(),
    )


def _on_terminal(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        with _terminal():
            work()

    return run


@contextmanager
def _terminal() -> Iterator[None]:
    """Make standard error a terminal whose output is read."""
    master, slave = pty.openpty()
    saved = os.dup(2)
    os.dup2(slave, 2)
    os.close(slave)
    reader = threading.Thread(target=_drain, args=(master,))
    reader.start()
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        reader.join()
        os.close(master)


def _drain(master: int) -> None:
    try:
        while os.read(master, 65536):
            continue
    except OSError:  # the other end is closed
        return
