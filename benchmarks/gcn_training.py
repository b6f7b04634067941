"""Compare training of paper 1's graph network: zoo's `fit`, PyTorch Geometric and plain torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

import torch
from torch import Tensor

import zoo
from benchmarks.peers import gcn
from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows, max_difference, run_in_turn
from zoo.fused.compiler import Kernel
from zoo.seeding import make_generator

STEPS = 50
"""Steps whose losses are compared."""


def run(repeats: int, *, side: int = 7, num_images: int = 60000) -> Result:
    """Compare one epoch of `gcn-7x7` (16 and 32 features), batch 64."""
    name = "gcn-training" if side == 7 else f"gcn-training-{side}"
    train = zoo.dataset("fashion-mnist-7x7").train.take(num_images)
    train = train if side == 7 else train.resize(side, mode="sample")
    peers = _make_peers(train, side)
    checks = [_time_compilation(side), _check_losses(train, side)]
    run_in_turn(peers, repeats)
    losses = {peer.label: {"losses": [round(value, 5) for value in peer.figures[:3]]} for peer in peers}
    reference = peers[-1].figures[:3]
    worst = max(max_difference(peer.figures[:3], reference) for peer in peers)
    checks.append(f"Mean losses of the first three epochs differ by at most {worst:.1e} of plain torch's.")
    return Result(
        name=name,
        title=f"Training a graph network, {side} x {side}",
        about=f"One epoch of `gcn-7x7` on {num_images:,} images of {side} x {side} pixels, batch 64, Adam; the same "
        "first weights and order everywhere; each epoch with a new optimizer, as a second `fit` has.",
        unit="epoch",
        rows=make_rows(peers, **losses),
        checks=checks,
        where=describe_machine(),
    )


def _make_peers(train: zoo.Images, side: int) -> list[Peer]:
    fused, layered = (zoo.create("gcn-7x7", seed=0, size=(side, side)) for _ in range(2))
    initial = [each.detach().clone() for each in fused.net.parameters()]
    weights, biases = initial[::2], initial[1::2]
    widths = (1, 16, 32, 10)
    floats, labels = train.images.float() / 255, train.labels
    objects = gcn.make_graphs(floats, labels)
    tutorial = gcn.copy_weights(gcn.Tutorial(widths), weights, biases)
    dense = gcn.copy_weights(gcn.Dense(widths, side), weights, biases)
    plain = gcn.copy_weights(gcn.Plain(widths, side), weights, biases)

    def in_zoo_order(train_epoch: Callable[[Tensor], float]) -> Callable[[], float]:
        epochs = count()
        return lambda: train_epoch(torch.randperm(len(train), generator=make_generator(0, "order", next(epochs))))

    def fit_epoch(model: zoo.Model, kernels: str) -> Callable[[], float]:
        return lambda: model.fit(train, epochs=1, kernels=kernels, progress=False, device="cpu").history[-1]["loss"]

    return [
        Peer(label="zoo", run=fit_epoch(fused, "auto"), note="the ordinary `fit`"),
        Peer(label="zoo, layer by layer", run=fit_epoch(layered, "torch"), note='`fit(kernels="torch")`'),
        Peer(
            label="PyTorch Geometric, tutorial",
            run=in_zoo_order(
                lambda order: gcn.train_epoch(tutorial, gcn.iter_graph_batches(objects, order), fused=False)
            ),
            note="`GCNConv`, `global_mean_pool`, its `DataLoader`",
        ),
        Peer(
            label="PyTorch Geometric, best",
            run=in_zoo_order(
                lambda order: gcn.train_epoch(dense, gcn.iter_tensor_batches(floats, labels, order), fused=True)
            ),
            note="`DenseGCNConv` on one adjacency, tensors in memory, fused Adam",
        ),
        Peer(
            label="plain torch",
            run=in_zoo_order(
                lambda order: gcn.train_epoch(plain, gcn.iter_tensor_batches(floats, labels, order), fused=True)
            ),
            note="dense adjacency made once, tensors in memory, fused Adam",
        ),
    ]


def _time_compilation(side: int) -> str:
    """Compile the step again, and return a sentence with its seconds."""
    layout = zoo.create("gcn-7x7", seed=0, size=(side, side)).net.stack().layout()  # type: ignore[operator]
    start = time.perf_counter()
    Kernel(layout, backward=True)
    return f"zoo compiles its step once per process, here in {time.perf_counter() - start:.2f} s."


def _check_losses(train: zoo.Images, side: int) -> str:
    """Compare the losses of 50 steps on one batch, and return a sentence with their largest difference."""
    batch = train.take(64)
    model = zoo.create("gcn-7x7", seed=0, size=(side, side))
    initial = [each.detach().clone() for each in model.net.parameters()]
    tutorial = gcn.copy_weights(gcn.Tutorial((1, 16, 32, 10)), initial[::2], initial[1::2])
    losses = model.fit(batch, epochs=STEPS, shuffle=False, progress=False, device="cpu").history["loss"]
    optimizer = torch.optim.Adam(tutorial.parameters(), lr=gcn.LR, weight_decay=gcn.DECAY)
    (graphs, labels) = next(gcn.iter_graph_batches(gcn.make_graphs(batch.images / 255, batch.labels), torch.arange(64)))
    peer_losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(tutorial(graphs), labels)
        loss.backward()
        optimizer.step()
        peer_losses.append(loss.item())
    worst = max_difference(losses, peer_losses)
    if worst > 1e-3:
        raise SystemExit(f"zoo and PyTorch Geometric do not compute the same: losses differ by {worst:.1e}")
    return f"The losses of {STEPS} steps of zoo and of the tutorial's net differ by at most {worst:.1e} (bar 1e-3)."


def run_28(repeats: int) -> Result:
    """Compare one epoch at 28 x 28 pixels, on fewer images."""
    return run(min(repeats, 3), side=28, num_images=1920)
