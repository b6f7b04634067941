"""Distance to the floor: the arithmetic that training does in a second, beside a matrix product's."""

from __future__ import annotations

import torch

import zoo
from benchmarks.side_by_side import Peer, Result, in_turn, rows_of, where

SIDE, PRODUCTS = 1024, 20


def run(repeats: int) -> Result:
    """Compare what an epoch achieves with what the processor does at best."""
    train = zoo.dataset("fashion-mnist-7x7").train
    model = zoo.create("gcn-7x7", seed=0)
    work = 2 * len(train) * model.net.stack().shape().work  # type: ignore[operator]
    square = torch.randn(SIDE, SIDE)
    threads = torch.get_num_threads()

    def products(many: int) -> None:
        torch.set_num_threads(many)
        for _ in range(PRODUCTS):
            torch.mm(square, square)
        torch.set_num_threads(threads)

    peers = [
        Peer(
            label="zoo, one epoch",
            run=lambda: model.fit(train, epochs=1, progress=False, device="cpu") and None,
            note="the ordinary `fit` of `gcn-7x7`, loading, loss and optimizer in it",
        ),
        Peer(
            label="matrix product, 1 thread", run=lambda: products(1), note=f"{PRODUCTS} times {SIDE} x {SIDE}, float32"
        ),
        Peer(label=f"matrix product, {threads} threads", run=lambda: products(threads), note="the same"),
    ]
    in_turn(peers, repeats)
    amounts = [work, *[2 * SIDE**3 * PRODUCTS] * 2]
    rates = [amount / min(peer.seconds) / 1e9 for amount, peer in zip(amounts, peers, strict=True)]
    more = {peer.label: {"GFLOP/s": round(rate, 1)} for peer, rate in zip(peers, rates, strict=True)}
    times = [rate / rates[0] for rate in rates[1:]]
    return Result(
        name="floor",
        title="Distance to the floor",
        about=f"An epoch of `gcn-7x7` takes {work / 1e9:.1f} GFLOP at the least: forward and backward, narrow sides "
        "filtered, the last layer computed of the mean.",
        unit="round",
        rows=rows_of(peers, **more),
        checks=[
            f"The epoch takes {times[0]:.2f} times what its arithmetic would at the rate of a matrix product in one "
            f"thread, and {times[1]:.2f} times in {threads}."
        ],
        where=where(),
    )
