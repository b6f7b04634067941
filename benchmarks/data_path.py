"""Compare loading alone: shuffled batches of 64 of 60,000 images."""

from __future__ import annotations

import torch
from torch.utils.data import DataLoader, TensorDataset
from torch_geometric.loader import DataLoader as GraphLoader

import zoo
from benchmarks.peers import gcn
from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows, run_in_turn
from zoo.data import Loader


def run(repeats: int) -> Result:
    """Compare one epoch of loading, without training."""
    train = zoo.dataset("fashion-mnist-7x7").train
    loader = Loader(train, batch_size=64, seed=0)
    floats = train.images.float() / 255
    plain = DataLoader(TensorDataset(floats, train.labels), batch_size=64, shuffle=True)
    graphs = GraphLoader(gcn.make_graphs(floats, train.labels), batch_size=64, shuffle=True)

    def count_images(batches: object) -> int:
        return sum(len(labels) for _, labels in batches)  # type: ignore[attr-defined]

    peers = [
        Peer(
            label="zoo", run=lambda: count_images(loader.iter_epoch(0)), note="`Loader`: uint8, normalised by the task"
        ),
        Peer(label="torch", run=lambda: count_images(plain), note="`DataLoader` of a `TensorDataset`"),
        Peer(
            label="PyTorch Geometric",
            run=lambda: count_images((batch, batch.y) for batch in graphs),
            note="its `DataLoader` of a list of `Data`",
        ),
    ]
    run_in_turn(peers, repeats)
    counts = {figure for peer in peers for figure in peer.figures}
    if counts != {len(train)}:
        raise SystemExit(f"the loaders do not yield every image once: {counts}")
    return Result(
        name="data-path",
        title="The data path alone",
        about=f"All {len(train):,} images of 7 x 7 pixels in shuffled batches of 64, in one process.",
        unit="epoch",
        rows=make_rows(peers),
        checks=["Every loader yielded every image once."],
        where=describe_machine() | {"threads": torch.get_num_threads()},
    )
