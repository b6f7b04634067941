"""Offer paper 1's graph convolutional networks over the pixel grid, and its tables."""

from __future__ import annotations

from typing import Any

from zoo import Experiment, ModelSpec, Recipe, hookimpl
from zoo_grid_gcn.experiments import EXPERIMENTS

zoo_api = 1

PAPER = "Yin 2024, Small image classification with graph convolutional networks"
RECIPE = Recipe(epochs=10, batch_size=64, optimizer="adam", lr=0.01, weight_decay=1e-5)
COSINE = RECIPE.replace(epochs=60, schedule="cosine")


def _make_spec(name: str, summary: str, side: int, **fields: Any) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=summary,
        build="zoo_grid_gcn.net:GridGCN",
        size=(side, side),
        parameters=906,
        resize="sample",
        symmetry="D4",
        paper=PAPER,
        tags=("graph", "gcn", "grey"),
        **{"recipe": RECIPE, **fields},
    )


@hookimpl
def zoo_models() -> list[ModelSpec]:
    """Return the models."""
    return [
        _make_spec(
            "gcn-7x7",
            "three graph convolutions over the 7 x 7 pixel grid, mean pool",
            7,
            recipes={"tuned": RECIPE.replace(epochs=30), "cosine": COSINE},
        ),
        _make_spec(
            "gcn-tuned-7x7",
            "three graph convolutions over the 7 x 7 grid, standardised input, random biases, one-cycle rate",
            7,
            config={"bias": 1.0},
            recipe=RECIPE.replace(epochs=30, lr=0.03, schedule="one-cycle"),
            standardize=True,
        ),
        _make_spec("gcn-28x28", "three graph convolutions over the 28 x 28 pixel grid, mean pool", 28),
    ]


@hookimpl
def zoo_experiments() -> tuple[Experiment, ...]:
    """Return paper 1's tables."""
    return EXPERIMENTS
