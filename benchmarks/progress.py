"""What showing progress costs: the live bar on a terminal, beside a silent training."""

from __future__ import annotations

import os
import pty
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

import zoo
from benchmarks.side_by_side import Peer, Result, in_turn, rows_of, where

EPOCHS, BAR, ROUNDS = 20, 0.01, 15


def run(repeats: int) -> Result:
    """Compare training with the bar and without."""
    train = zoo.dataset("fashion-mnist-7x7").train
    model = zoo.create("gcn-7x7", seed=0)

    def silent() -> None:
        model.reset().fit(train, epochs=EPOCHS, progress=False, device="cpu")

    peers = [
        Peer(label="silent", run=silent, note="`progress=False`"),
        Peer(label="live bar", run=_on_terminal(lambda: model.reset().fit(train, epochs=EPOCHS, device="cpu"))),
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # what two threads take varies by more than what is measured
    try:
        in_turn(peers, max(repeats, ROUNDS))
    finally:
        torch.set_num_threads(threads)
    costs = [b / a - 1 for a, b in zip(peers[0].seconds, peers[1].seconds, strict=True)]
    least = min(peers[1].seconds) / min(peers[0].seconds) - 1
    return Result(
        name="progress",
        title="Showing progress",
        about=f"{EPOCHS} epochs of `gcn-7x7`, the fastest training there is: {EPOCHS * len(train):,} images. The bar "
        "is drawn on a pseudo-terminal. In one thread.",
        unit="training",
        rows=rows_of(peers),
        checks=[
            f"It costs {statistics.median(costs):.1%} (median of rounds), {least:.1%} by the fastest (limit {BAR:.0%})."
        ],
        where=where(),
    )


def _on_terminal(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        with _terminal():
            work()

    return run


@contextmanager
def _terminal() -> Iterator[None]:
    """Make standard error a terminal that somebody reads."""
    master, slave = pty.openpty()
    kept = os.dup(2)
    os.dup2(slave, 2)
    os.close(slave)
    reader = threading.Thread(target=_drained, args=(master,))
    reader.start()
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        reader.join()
        os.close(master)


def _drained(master: int) -> None:
    try:
        while os.read(master, 65536):
            continue
    except OSError:  # the other end is closed
        return
