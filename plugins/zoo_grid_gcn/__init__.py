"""Offer paper 1's graph convolutional networks over the pixel grid, and its tables."""

from __future__ import annotations

from zoo import Experiment, ModelSpec, Recipe, hookimpl
from zoo_grid_gcn.experiments import EXPERIMENTS

zoo_api = 1

PAPER = "Yin 2024, Small image classification with graph convolutional networks"
RECIPE = Recipe(epochs=10, batch_size=64, optimizer="adam", lr=0.01, weight_decay=1e-5)
COSINE = RECIPE.replace(epochs=60, schedule="cosine")


@hookimpl
def zoo_models() -> list[ModelSpec]:
    """Return the models."""
    return [
        ModelSpec(
            name="gcn-7x7",
            summary="three graph convolutions over the 7 x 7 pixel grid, mean pool",
            build="zoo_grid_gcn.net:GridGCN",
            size=(7, 7),
            parameters=906,
            recipe=RECIPE,
            recipes={"tuned": RECIPE.replace(epochs=30), "cosine": COSINE},
            resize="sample",
            symmetry="D4",
            paper=PAPER,
            tags=("graph", "gcn", "grey"),
        ),
        ModelSpec(
            name="gcn-tuned-7x7",
            summary="three graph convolutions over the 7 x 7 grid, standardised input, random biases, one-cycle rate",
            build="zoo_grid_gcn.net:GridGCN",
            config={"bias": 1.0},
            size=(7, 7),
            parameters=906,
            recipe=RECIPE.replace(epochs=30, lr=0.03, schedule="one-cycle"),
            resize="sample",
            standardize=True,
            symmetry="D4",
            paper=PAPER,
            tags=("graph", "gcn", "grey"),
        ),
        ModelSpec(
            name="gcn-28x28",
            summary="three graph convolutions over the 28 x 28 pixel grid, mean pool",
            build="zoo_grid_gcn.net:GridGCN",
            size=(28, 28),
            parameters=906,
            recipe=RECIPE,
            resize="sample",
            symmetry="D4",
            paper=PAPER,
            tags=("graph", "gcn", "grey"),
        ),
    ]


@hookimpl
def zoo_experiments() -> tuple[Experiment, ...]:
    """Return paper 1's tables."""
    return EXPERIMENTS
