"""Offer plain convolutional networks: the two of paper 2, and two for 7 x 7 images as baselines for paper 1."""

from __future__ import annotations

from zoo import Experiment, ModelSpec, Recipe, hookimpl
from zoo_cnn.experiments import EXPERIMENTS

zoo_api = 1

PAPER_1 = "Yin 2024, Small image classification with graph convolutional networks (its layers are not given)"
PAPER_2 = "Min and Wang 2024, CNN image classification"
SGD = Recipe(
    epochs=25,
    batch_size=64,
    optimizer="sgd",
    lr=0.01,
    validation=0.2,
    split="ordered",
    shuffle=False,
    keep="best",
    monitor="val_accuracy",
)
COSINE = Recipe(
    epochs=20, batch_size=64, optimizer="adam", lr=1e-3, schedule="cosine", weight_decay=1e-4, augment=("shift:1",)
)
VARIANTS = {
    "sgd-0.01": SGD,
    "sgd-0.1": SGD.replace(lr=0.1),
    "sgd-0.5": SGD.replace(lr=0.5),
    "adam": SGD.replace(optimizer="adam", lr=1e-3),
    "cosine": COSINE,
}
MODELS = (
    ModelSpec(
        name="cnn-7x7",
        summary="two 3 x 3 convolutions and two linear layers, for 7 x 7 images",
        build="zoo_cnn.nets:TinyCNN",
        size=(7, 7),
        parameters=421_642,
        recipe=Recipe(epochs=10, batch_size=64, optimizer="adam", lr=1e-3),
        recipes={"cosine": COSINE.replace(epochs=15, augment=())},
        resize="sample",
        paper=PAPER_1,
        tags=("convolution", "grey"),
    ),
    ModelSpec(
        name="cnn-pooled-7x7",
        summary="three 3 x 3 convolutions with batch normalisation and global average pool, for 7 x 7 images",
        build="zoo_cnn.nets:PooledCNN",
        size=(7, 7),
        parameters=16_960,
        recipe=Recipe(epochs=10, batch_size=256, optimizer="adamw", lr=0.01, weight_decay=0.05, schedule="one-cycle"),
        resize="sample",
        standardize=True,
        paper="Lin, Chen and Yan 2014, Network in network",
        tags=("convolution", "grey"),
    ),
    ModelSpec(
        name="cnn-simple",
        summary="one 3 x 3 convolution, average pool, two linear layers",
        build="zoo_cnn.nets:SimpleCNN",
        size=(28, 28),
        parameters=402_986,
        recipe=SGD,
        recipes=VARIANTS,
        paper=PAPER_2,
        tags=("convolution", "grey"),
    ),
    ModelSpec(
        name="cnn-deep",
        summary="two 3 x 3 convolutions, average pools, three linear layers",
        build="zoo_cnn.nets:DeepCNN",
        size=(28, 28),
        parameters=334_154,
        recipe=SGD,
        recipes=VARIANTS,
        paper=PAPER_2,
        tags=("convolution", "grey"),
    ),
)


@hookimpl
def zoo_models() -> tuple[ModelSpec, ...]:
    """Return the models."""
    return MODELS


@hookimpl
def zoo_experiments() -> tuple[Experiment, ...]:
    """Return paper 2's tables."""
    return EXPERIMENTS
