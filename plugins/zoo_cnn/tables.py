"""Paper 2's runs as a value."""

from __future__ import annotations

from zoo import Experiment, Row

EXPERIMENTS = (
    Experiment(
        name="paper2-cnn",
        summary="simple and deep CNN on Fashion-MNIST, SGD and Adam (paper 2, section 2.2)",
        source="Min and Wang 2024, section 2.2",
        dataset="fashion-mnist",
        seeds=(0, 1, 2),
        rows=(
            Row(label="simple, SGD 0.01", model="cnn-simple", recipe="sgd-0.01", paper={"accuracy": 0.8711}),
            Row(label="deep, SGD 0.01", model="cnn-deep", recipe="sgd-0.01", paper={"accuracy": 0.8619}),
            Row(label="simple, Adam", model="cnn-simple", recipe="adam", paper={"accuracy": 0.8977}),
            Row(label="simple, SGD 0.1", model="cnn-simple", recipe="sgd-0.1"),
            Row(label="deep, SGD 0.1", model="cnn-deep", recipe="sgd-0.1"),
            Row(label="simple, SGD 0.5", model="cnn-simple", recipe="sgd-0.5"),
        ),
    ),
)
