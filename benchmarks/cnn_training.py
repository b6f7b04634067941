"""Compare training of paper 2's networks: zoo's `fit`, a plain loop, skorch and Lightning."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import count

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

import zoo
from benchmarks.peers import cnn
from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows, max_difference, run_in_turn
from zoo.seeding import make_generator

NUM_IMAGES, BAR = 6400, 1e-3


def run(repeats: int, name: str = "cnn-simple") -> Result:
    """Compare one epoch of a network of paper 2 on real images of 28 x 28 pixels."""
    train = zoo.dataset("fashion-mnist").train.take(NUM_IMAGES)
    peers = _make_peers(name, train)
    run_in_turn(peers, repeats)
    losses = {peer.label: {"losses": [round(value, 5) for value in peer.figures[:3]]} for peer in peers}
    worst = max(max_difference(peer.figures[:1], peers[1].figures[:1]) for peer in peers)
    if worst > BAR:
        raise SystemExit(f"the peers do not train the same: mean losses of the first epoch differ by {worst:.1e}")
    return Result(
        name=f"{name}-training",
        title=f"Training `{name}`",
        about=f"One epoch on {NUM_IMAGES:,} images of Fashion-MNIST, batch 64, Adam; the same first weights and order "
        "everywhere; each epoch with a new optimizer.",
        unit="epoch",
        rows=make_rows(peers, **losses),
        checks=[
            f"Mean losses of the first epoch (100 steps) differ by at most {worst:.1e} of the plain loop's (bar {BAR})."
        ],
        where=describe_machine(),
    )


def run_deep(repeats: int) -> Result:
    """Compare one epoch of the deep network of paper 2."""
    return run(repeats, "cnn-deep")


def _make_peers(name: str, train: zoo.Images) -> list[Peer]:
    models = [zoo.create(name, seed=0) for _ in range(2)]
    nets = [copy.deepcopy(models[0].net) for _ in range(3)]
    data = TensorDataset(train.images.float() / 255, train.labels)

    def make_order() -> Callable[[], Tensor]:
        epochs = count()
        return lambda: torch.randperm(NUM_IMAGES, generator=make_generator(0, "order", next(epochs)))

    loaders = [cnn.make_loader(data, make_order()) for _ in range(2)]

    def fit_epoch(model: zoo.Model, *, channels_last: bool) -> Callable[[], float]:
        recipe = zoo.Recipe(epochs=1, lr=cnn.LR, channels_last=channels_last)
        return lambda: model.fit(train, recipe=recipe, progress=False, device="cpu").history[-1]["loss"]

    return [
        Peer(label="zoo", run=fit_epoch(models[0], channels_last=True), note="`fit(channels_last=True)`"),
        Peer(
            label="plain loop",
            run=lambda: cnn.train_plain(nets[0], loaders[0]),
            note="torch's `DataLoader`, `loss.item()`",
        ),
        Peer(label="zoo, channels first", run=fit_epoch(models[1], channels_last=False), note="`fit`"),
        Peer(
            label="skorch",
            run=cnn.train_with_skorch(nets[1], data, cnn.FixedOrder(make_order(), NUM_IMAGES)),
            note="callbacks off, tensors in",
        ),
        Peer(
            label="Lightning",
            run=lambda: cnn.train_with_lightning(nets[2], loaders[1]),
            note="no logger, checkpoints, progress bar",
        ),
    ]
