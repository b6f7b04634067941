"""Compare prediction with a trained graph network: 10,000 images, and one image at a time."""

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
from benchmarks.side_by_side import Peer, Result, describe_machine, make_rows, run_in_turn

WIDTHS = (1, 16, 32, 10)
NUM_CALLS = 200


def run(repeats: int) -> Result:
    """Compare the prediction of 10,000 images."""
    images = zoo.dataset("fashion-mnist-7x7").test.images
    peers, check = _make_peers(images)
    run_in_turn(peers, repeats, warm_up=2)
    return _make_result("prediction", "Predicting 10,000 images", "Labels of 10,000 images", "pass", peers, check)


def run_latency(repeats: int) -> Result:
    """Compare the prediction of one image, 200 times."""
    images = zoo.dataset("fashion-mnist-7x7").test.images
    peers, check = _make_peers(images[:1])
    for peer in peers:
        peer.run = _repeat(peer.run)
    run_in_turn(peers, repeats, warm_up=1)
    for peer in peers:
        peer.seconds = [seconds / NUM_CALLS for seconds in peer.seconds]
    return _make_result(
        "latency", "One image at a time", f"The label of one image, {NUM_CALLS} calls a round", "call", peers, check
    )


def _repeat(run: Callable[[], Any]) -> Callable[[], None]:
    def run_calls() -> None:
        for _ in range(NUM_CALLS):
            run()

    return run_calls


def _make_peers(images: torch.Tensor) -> tuple[list[Peer], str]:
    model = zoo.load("gcn-7x7/fashion-mnist")
    parameters = [each.detach() for each in model.net.parameters()]
    tutorial = gcn.copy_weights(gcn.Tutorial(WIDTHS), parameters[::2], parameters[1::2])
    dense = gcn.copy_weights(gcn.Dense(WIDTHS, 7), parameters[::2], parameters[1::2])
    session = _make_session(model)
    pixels = images.numpy()
    labels = torch.zeros(len(images), dtype=torch.int64)

    def predict_graphs() -> torch.Tensor:
        objects = gcn.make_graphs(images.float() / 255, labels)
        return gcn.predict_labels(tutorial, lambda: gcn.iter_graph_batches(objects, torch.arange(len(images))))

    def predict_tensors() -> torch.Tensor:
        floats = images.float() / 255
        return gcn.predict_labels(dense, lambda: gcn.iter_tensor_batches(floats, labels, torch.arange(len(images))))

    peers = [
        Peer(label="zoo", run=lambda: model.predict(images), note="`model.predict`"),
        Peer(
            label="onnxruntime",
            run=lambda: session.run(None, {"images": pixels})[0].argmax(1),
            note="the model, exported",
        ),
        Peer(label="PyTorch Geometric, tutorial", run=predict_graphs, note="`GCNConv`, its `DataLoader`, batch 64"),
        Peer(label="PyTorch Geometric, best", run=predict_tensors, note="`DenseGCNConv`, tensors, batch 64"),
    ]
    labels_by_peer = [np.asarray(peer.run()) for peer in peers]
    agreement = min(float((labels == labels_by_peer[0]).mean()) for labels in labels_by_peer)
    if agreement < 0.999:
        raise SystemExit(f"the peers do not predict the same: {agreement:.2%} of the labels agree")
    return peers, f"{agreement:.2%} of the labels agree with zoo's."


def _make_session(model: zoo.Model) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model.export(path)
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _make_result(name: str, title: str, about: str, unit: str, peers: list[Peer], check: str) -> Result:
    about = f"{about} by `gcn-7x7/fashion-mnist`, from uint8 pixels in memory."
    return Result(
        name=name,
        title=title,
        about=about,
        unit=unit,
        rows=make_rows(peers, digits=8),
        checks=[check],
        where=describe_machine(),
    )
