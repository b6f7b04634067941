"""Using a trained graph network: 10,000 images, and one image at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

import zoo
from benchmarks.peers import gcn
from benchmarks.side_by_side import Peer, Result, in_turn, rows_of, where

WIDTHS = (1, 16, 32, 10)
CALLS = 200


def run(repeats: int) -> Result:
    """Compare predicting 10,000 images."""
    images = zoo.dataset("fashion-mnist-7x7").test.images
    peers, agree = _peers(images)
    in_turn(peers, repeats, warm_up=2)
    return _result("prediction", "Predicting 10,000 images", "Labels of 10,000 images", "pass", peers, agree)


def latency(repeats: int) -> Result:
    """Compare predicting one image, 200 times."""
    images = zoo.dataset("fashion-mnist-7x7").test.images
    peers, agree = _peers(images[:1])
    for peer in peers:
        peer.run = _often(peer.run)
    in_turn(peers, repeats, warm_up=1)
    for peer in peers:
        peer.seconds = [seconds / CALLS for seconds in peer.seconds]
    return _result(
        "latency", "One image at a time", f"The label of one image, {CALLS} calls a round", "call", peers, agree
    )


def _often(run: Callable[[], Any]) -> Callable[[], None]:
    def many() -> None:
        for _ in range(CALLS):
            run()

    return many


def _peers(images: torch.Tensor) -> tuple[list[Peer], str]:
    model = zoo.load("gcn-7x7/fashion-mnist")
    parameters = [each.detach() for each in model.net.parameters()]
    tutorial = gcn.begin(gcn.Tutorial(WIDTHS), parameters[::2], parameters[1::2])
    dense = gcn.begin(gcn.Dense(WIDTHS, 7), parameters[::2], parameters[1::2])
    session = _session(model)
    levels = images.numpy()
    labels = torch.zeros(len(images), dtype=torch.int64)

    def by_graphs() -> torch.Tensor:
        objects = gcn.graphs(images.float() / 255, labels)
        return gcn.answers(tutorial, lambda: gcn.graph_batches(objects, torch.arange(len(images))))

    def by_tensors() -> torch.Tensor:
        floats = images.float() / 255
        return gcn.answers(dense, lambda: gcn.tensor_batches(floats, labels, torch.arange(len(images))))

    peers = [
        Peer(label="zoo", run=lambda: model.predict(images), note="`model.predict`"),
        Peer(
            label="onnxruntime",
            run=lambda: session.run(None, {"images": levels})[0].argmax(1),
            note="the model, exported",
        ),
        Peer(label="PyTorch Geometric, tutorial", run=by_graphs, note="`GCNConv`, its `DataLoader`, batch 64"),
        Peer(label="PyTorch Geometric, best", run=by_tensors, note="`DenseGCNConv`, tensors, batch 64"),
    ]
    answers = [np.asarray(peer.run()) for peer in peers]
    equal = min(float((answer == answers[0]).mean()) for answer in answers)
    if equal < 0.999:
        raise SystemExit(f"the peers do not predict the same: {equal:.2%} of the labels agree")
    return peers, f"{equal:.2%} of the labels agree with zoo's."


def _session(model: zoo.Model) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model.export(path)
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _result(name: str, title: str, about: str, unit: str, peers: list[Peer], agree: str) -> Result:
    about = f"{about} by `gcn-7x7/fashion-mnist`, from uint8 pixels in memory."
    return Result(
        name=name, title=title, about=about, unit=unit, rows=rows_of(peers, digits=8), checks=[agree], where=where()
    )
