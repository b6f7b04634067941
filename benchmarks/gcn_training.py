"""Training paper 1's graph network: zoo's `fit` beside PyTorch Geometric and plain torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

import torch
from torch import Tensor

import zoo
from benchmarks.peers import gcn
from benchmarks.side_by_side import Peer, Result, apart, in_turn, rows_of, where
from zoo.fused.compiler import Kernel
from zoo.seeding import make_generator

STEPS = 50


def run(repeats: int, *, side: int = 7, images: int = 60000) -> Result:
    """Compare one epoch of `gcn-7x7` (16 and 32 features), batch 64."""
    name = "gcn-training" if side == 7 else f"gcn-training-{side}"
    train = zoo.dataset("fashion-mnist-7x7").train.take(images)
    train = train if side == 7 else train.resize(side, mode="sample")
    peers = _peers(train, side)
    checks = [_compiled(side), _same_losses(train, side)]
    in_turn(peers, repeats)
    losses = {peer.label: {"losses": [round(value, 5) for value in peer.figures[:3]]} for peer in peers}
    reference = peers[-1].figures[:3]
    worst = max(apart(peer.figures[:3], reference) for peer in peers)
    checks.append(f"Mean losses of the first three epochs differ by at most {worst:.1e} of plain torch's.")
    return Result(
        name=name,
        title=f"Training a graph network, {side} x {side}",
        about=f"One epoch of `gcn-7x7` on {images:,} images of {side} x {side} pixels, batch 64, Adam; the same first "
        "weights and order everywhere; each epoch with a new optimizer, as a second `fit` has.",
        unit="epoch",
        rows=rows_of(peers, **losses),
        checks=checks,
        where=where(),
    )


def _peers(train: zoo.Images, side: int) -> list[Peer]:
    fused, layered = (zoo.create("gcn-7x7", seed=0, size=(side, side)) for _ in range(2))
    begun = [each.detach().clone() for each in fused.net.parameters()]
    weights, biases = begun[::2], begun[1::2]
    widths = (1, 16, 32, 10)
    floats, labels = train.images.float() / 255, train.labels
    objects = gcn.graphs(floats, labels)
    tutorial = gcn.begin(gcn.Tutorial(widths), weights, biases)
    dense = gcn.begin(gcn.Dense(widths, side), weights, biases)
    plain = gcn.begin(gcn.Plain(widths, side), weights, biases)

    def ordered(step: Callable[[Tensor], float]) -> Callable[[], float]:
        epochs = count()
        return lambda: step(torch.randperm(len(train), generator=make_generator(0, "order", next(epochs))))

    def mine(model: zoo.Model, kernels: str) -> Callable[[], float]:
        return lambda: model.fit(train, epochs=1, kernels=kernels, progress=False, device="cpu").history[-1]["loss"]

    return [
        Peer(label="zoo", run=mine(fused, "auto"), note="the ordinary `fit`"),
        Peer(label="zoo, layer by layer", run=mine(layered, "torch"), note='`fit(kernels="torch")`'),
        Peer(
            label="PyTorch Geometric, tutorial",
            run=ordered(lambda order: gcn.train(tutorial, gcn.graph_batches(objects, order), fused=False)),
            note="`GCNConv`, `global_mean_pool`, its `DataLoader`",
        ),
        Peer(
            label="PyTorch Geometric, best",
            run=ordered(lambda order: gcn.train(dense, gcn.tensor_batches(floats, labels, order), fused=True)),
            note="`DenseGCNConv` on one adjacency, tensors in memory, fused Adam",
        ),
        Peer(
            label="plain torch",
            run=ordered(lambda order: gcn.train(plain, gcn.tensor_batches(floats, labels, order), fused=True)),
            note="dense adjacency made once, tensors in memory, fused Adam",
        ),
    ]


def _compiled(side: int) -> str:
    """Compile the step anew and say how long it took."""
    shape = zoo.create("gcn-7x7", seed=0, size=(side, side)).net.stack().shape()  # type: ignore[operator]
    start = time.perf_counter()
    Kernel(shape, backward=True)
    return f"zoo compiles its step once a process, here in {time.perf_counter() - start:.2f} s."


def _same_losses(train: zoo.Images, side: int) -> str:
    """Compare 50 steps on one batch, each with its loss, and say how far they lie apart."""
    batch = train.take(64)
    model = zoo.create("gcn-7x7", seed=0, size=(side, side))
    begun = [each.detach().clone() for each in model.net.parameters()]
    tutorial = gcn.begin(gcn.Tutorial((1, 16, 32, 10)), begun[::2], begun[1::2])
    mine = model.fit(batch, epochs=STEPS, shuffle=False, progress=False, device="cpu").history["loss"]
    optimizer = torch.optim.Adam(tutorial.parameters(), lr=gcn.LR, weight_decay=gcn.DECAY)
    (graphs, labels) = next(gcn.graph_batches(gcn.graphs(batch.images / 255, batch.labels), torch.arange(64)))
    theirs = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(tutorial(graphs), labels)
        loss.backward()
        optimizer.step()
        theirs.append(loss.item())
    worst = apart(mine, theirs)
    if worst > 1e-3:
        raise SystemExit(f"zoo and PyTorch Geometric do not compute the same: losses differ by {worst:.1e}")
    return f"The losses of {STEPS} steps of zoo and of the tutorial's net differ by at most {worst:.1e} (bar 1e-3)."


def larger(repeats: int) -> Result:
    """Compare the same at 28 x 28, on fewer images."""
    return run(min(repeats, 3), side=28, images=1920)
