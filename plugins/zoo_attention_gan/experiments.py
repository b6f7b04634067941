"""Paper 3's tables as values, and what the paper left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zoo import Experiment, Row

SOURCE = "Zhang, Li, Su 2023, section 2.3"
MODELS = {
    "CNN": "cnn-simple",
    "ResNet18": "resnet-18",
    "ResNet34": "resnet-34",
    "ResNet50": "resnet-50",
    "ResNet101": "resnet-101",
}
ARMS = {"drawn": "DRAWN", "original": "ORIGINAL", "half and half": "HALF", "added": "ADDED"}
"""What a classifier is trained on, by the name in the table; `added` is ours."""
MNIST = {
    "CNN": (0.9649, 0.9784, 0.9836),
    "ResNet18": (0.9693, 0.9792, 0.9852),
    "ResNet34": (0.9726, 0.9802, 0.9895),
    "ResNet50": (0.9643, 0.9765, 0.9835),
    "ResNet101": (0.9673, 0.9717, 0.9796),
}
"""Table 1: drawn, original, half and half."""
CIFAR = {"ResNet34": (None, None, 0.9268)}
"""Of table 2 only what the summary says is known."""
PLAIN = {"validation": 0.0, "keep": "last", "shuffle": True}
"""`cnn-simple` is trained with Adam at 1e-3, without augmentation, and no image is held out."""
EPOCHS = {"CNN": 6}
DEEP_EPOCHS = 30


def _make_changes(name: str, arm: str) -> dict[str, Any]:
    """Return the changes of a recipe; an epoch of `added` has twice the steps, so it has half as many."""
    epochs = EPOCHS.get(name, DEEP_EPOCHS)
    own = PLAIN if name == "CNN" else {"precision": "bf16", "channels_last": True}
    return {**own, "epochs": epochs // 2 if arm == "added" else epochs}


def _make_row(
    label: str, name: str, arm: str, train: str, shape_options: Mapping[str, Any], paper: float | None, needs: str
) -> Row:
    return Row(
        label=label,
        model=MODELS[name],
        recipe="adam" if name == "CNN" else None,
        config=shape_options,
        changes=_make_changes(name, arm),
        train=f"zoo_attention_gan.arms:{train}",
        needs=needs,
        paper={} if paper is None else {"accuracy": paper},
    )


def _make_rows(
    shape_options: Mapping[str, Any], table: Mapping[str, tuple[float | None, ...]], cpu_arms: tuple[str, ...]
) -> Iterator[Row]:
    """Yield a row for each arm and classifier; `cpu_arms` arms of the CNN need no GPU."""
    for place, (arm, train) in enumerate(ARMS.items()):
        for name in MODELS:
            papers = table.get(name, ())
            paper = papers[place] if place < len(papers) else None
            needs = "" if name == "CNN" and arm in cpu_arms else "gpu"
            yield _make_row(f"{arm}: {name}", name, arm, train, shape_options, paper, needs)


def _make_spectral_rows(shape_options: Mapping[str, Any]) -> Iterator[Row]:
    """Yield rows drawn by the stronger generator beside the paper's."""
    for arm in ("drawn", "half and half", "added"):
        for name in ("CNN", "ResNet34"):
            yield _make_row(f"{arm}, sn-gan: {name}", name, arm, f"{ARMS[arm]}_BY_SPECTRAL", shape_options, None, "gpu")


GREY, COLOUR = {"size": (28, 28), "channels": 1}, {"size": (32, 32), "channels": 3}
QUESTION_TEXT = """\
Five classifiers are trained on drawn images, on the original ones, and on half of each, and scored on the real test
images. All arms of a classifier take the same number of optimiser steps. *Added*, which the paper lacks, is all
original images and as many drawn ones, for half the epochs."""
ABLATION = tuple(
    Row(
        label=f"{number} attention modules" if number != 1 else "1 attention module",
        model="attention-gan-28x28",
        config={"attention": number},
        changes={"epochs": 2, "precision": "bf16"},
        score="zoo_attention_gan.scores:drawn",
    )
    for number in range(4)
)
AUGMENTATION = {"augment": ("shift:2", "rotate:10")}
BUDGETS = tuple(
    Row(
        label=f"{kind}{', augmented' if changes else ''}: {known} images",
        model="cnn-simple",
        recipe="adam",
        changes={**PLAIN, "epochs": 5, **changes},
        train=f"zoo_attention_gan.budgets:{kind.upper()}_{known}",
    )
    for known in (100, 500, 1000)
    for changes in ({}, AUGMENTATION)
    for kind in ("real", "drawn", "both")
    if not (changes and kind == "drawn")
)

EXPERIMENTS = (
    Experiment(
        name="paper3-mnist",
        summary="five classifiers on drawn, original and mixed digits (paper 3, table 1)",
        source=f"{SOURCE}, table 1",
        dataset="mnist",
        seeds=(0, 1, 2),
        tolerance=0.005,
        rows=tuple(_make_rows(GREY, MNIST, tuple(ARMS))),
        text=f"{QUESTION_TEXT}\n`attention-gan-28x28/mnist` draws, one training for all seeds; each seed has its own images.",
        verdict="zoo_attention_gan.verdicts:compare_arms",
        figures=("table",),
    ),
    Experiment(
        name="paper3-cifar10",
        summary="five classifiers on drawn, original and mixed pictures (paper 3, table 2)",
        source=f"{SOURCE}, table 2, of which only one number is known to us",
        dataset="cifar10-jpeg",
        seeds=(0, 1, 2),
        tolerance=0.005,
        rows=(*_make_rows(COLOUR, CIFAR, ("original",)), *_make_spectral_rows(COLOUR)),
        text=f"{QUESTION_TEXT}\nThe generators are trained on the training images first, and kept in `runs/generators`.",
        verdict="zoo_attention_gan.verdicts:compare_arms",
        figures=("table",),
    ),
    Experiment(
        name="paper3-attention",
        summary="how many attention modules the generator has (not in paper 3)",
        source="no paper has these numbers",
        dataset="mnist",
        seeds=(0, 1, 2),
        rows=ABLATION,
        metrics=("accuracy_score", "agreement", "frechet", "coverage"),
        text="Each generator is trained for 2 epochs of the default recipe, far from its best, all alike.",
        verdict="zoo_attention_gan.verdicts:compare_modules",
        figures=("table",),
    ),
    Experiment(
        name="paper3-small-data",
        summary="few labelled digits, with and without drawn ones (not in paper 3)",
        source="no paper has these numbers",
        dataset="mnist",
        seeds=(0, 1, 2),
        rows=BUDGETS,
        text="""\
Of the training images only so many are known, other ones for each seed, and a generator is trained on those alone.
Every set has 12,800 images, the known ones repeated, and every classifier takes 1,000 steps.""",
        verdict="zoo_attention_gan.verdicts:compare_budgets",
        figures=("table",),
    ),
)
