"""Compare the arithmetic that training does in a second with that of a matrix product."""

from __future__ import annotations

import torch

import zoo
from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows, run_in_turn

SIDE, NUM_PRODUCTS = 1024, 20


def run(repeats: int) -> Result:
    """Compare the rate of an epoch with the best rate of the processor."""
    train = zoo.dataset("fashion-mnist-7x7").train
    model = zoo.create("gcn-7x7", seed=0)
    work = 2 * len(train) * model.net.stack().layout().multiply_adds  # type: ignore[operator]
    matrix = torch.randn(SIDE, SIDE)
    threads = torch.get_num_threads()

    def multiply(num_threads: int) -> None:
        torch.set_num_threads(num_threads)
        for _ in range(NUM_PRODUCTS):
            torch.mm(matrix, matrix)
        torch.set_num_threads(threads)

    peers = [
        Peer(
            label="zoo, one epoch",
            run=lambda: model.fit(train, epochs=1, progress=False, device="cpu") and None,
            note="the ordinary `fit` of `gcn-7x7`, with loading, loss and optimizer",
        ),
        Peer(
            label="matrix product, 1 thread",
            run=lambda: multiply(1),
            note=f"{NUM_PRODUCTS} times {SIDE} x {SIDE}, float32",
        ),
        Peer(label=f"matrix product, {threads} threads", run=lambda: multiply(threads), note="the same"),
    ]
    run_in_turn(peers, repeats)
    amounts = [work, *[2 * SIDE**3 * NUM_PRODUCTS] * 2]
    rates = [amount / min(peer.seconds) / 1e9 for amount, peer in zip(amounts, peers, strict=True)]
    more = {peer.label: {"GFLOP/s": round(rate, 1)} for peer, rate in zip(peers, rates, strict=True)}
    times = [rate / rates[0] for rate in rates[1:]]
    return Result(
        name="floor",
        title="Distance to the floor",
        about=f"An epoch of `gcn-7x7` takes {work / 1e9:.1f} GFLOP at least: forward and backward, the narrower "
        "side of each layer propagated, the last layer applied to the mean.",
        unit="round",
        rows=make_rows(peers, **more),
        checks=[
            f"The epoch takes {times[0]:.2f} times as long as its arithmetic would at the rate of a matrix product in "
            f"one thread, and {times[1]:.2f} times as long as in {threads}."
        ],
        where=describe_machine(),
    )
