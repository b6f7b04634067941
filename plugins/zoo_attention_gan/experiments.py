"""Define paper 3's tables as experiments, and two more on questions that it leaves open."""

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
"""The training sets by their names in the table. `added` is not in the paper."""
MNIST = {
    "CNN": (0.9649, 0.9784, 0.9836),
    "ResNet18": (0.9693, 0.9792, 0.9852),
    "ResNet34": (0.9726, 0.9802, 0.9895),
    "ResNet50": (0.9643, 0.9765, 0.9835),
    "ResNet101": (0.9673, 0.9717, 0.9796),
}
"""Accuracies of table 1: drawn, original, half and half."""
CIFAR = {"ResNet34": (None, None, 0.9268)}
"""The one accuracy of table 2 that is known, from the paper's summary."""
PLAIN = {"validation": 0.0, "keep": "last", "shuffle": True}
"""Changes of the recipe `adam` of `cnn-simple`: no validation images, so the last epoch is kept."""
EPOCHS = {"CNN": 6}
DEEP_EPOCHS = 30


def _make_changes(name: str, arm: str) -> dict[str, Any]:
    """Return the changes of a recipe. `added` is trained for half the epochs, since its epochs have twice the steps."""
    epochs = EPOCHS.get(name, DEEP_EPOCHS)
    changes = PLAIN if name == "CNN" else {"precision": "bf16", "channels_last": True}
    return {**changes, "epochs": epochs // 2 if arm == "added" else epochs}


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
    """Yield a row for each arm and classifier. Only the CNN's arms in `cpu_arms` run without a GPU."""
    for index, (arm, train) in enumerate(ARMS.items()):
        for name in MODELS:
            papers = table.get(name, ())
            paper = papers[index] if index < len(papers) else None
            needs = "" if name == "CNN" and arm in cpu_arms else "gpu"
            yield _make_row(f"{arm}: {name}", name, arm, train, shape_options, paper, needs)


def _make_spectral_rows(shape_options: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows whose images come from the stronger generator."""
    for arm in ("drawn", "half and half", "added"):
        for name in ("CNN", "ResNet34"):
            yield _make_row(f"{arm}, sn-gan: {name}", name, arm, f"{ARMS[arm]}_BY_SPECTRAL", shape_options, None, "gpu")


GREY, COLOUR = {"size": (28, 28), "channels": 1}, {"size": (32, 32), "channels": 3}
QUESTION_TEXT = """\
Five classifiers are trained on generated images (*drawn*), on the original ones, and on half of each, and scored on the
real test images. All arms of a classifier take the same number of optimiser steps. *Added*, which is not in the paper,
is all original images and as many generated ones, for half the epochs."""
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
        summary="five classifiers trained on generated, original and mixed digits (paper 3, table 1)",
        source=f"{SOURCE}, table 1",
        dataset="mnist",
        seeds=(0, 1, 2),
        tolerance=0.005,
        rows=tuple(_make_rows(GREY, MNIST, tuple(ARMS))),
        text=f"{QUESTION_TEXT}\nAll seeds share the generator `attention-gan-28x28/mnist`; each samples other images.",
        verdict="zoo_attention_gan.verdicts:compare_arms",
        figures=("table",),
    ),
    Experiment(
        name="paper3-cifar10",
        summary="five classifiers trained on generated, original and mixed colour images (paper 3, table 2)",
        source=f"{SOURCE}, table 2, of which only one number is known",
        dataset="cifar10-jpeg",
        seeds=(0, 1, 2),
        tolerance=0.005,
        rows=(*_make_rows(COLOUR, CIFAR, ("original",)), *_make_spectral_rows(COLOUR)),
        text=f"{QUESTION_TEXT}\nThe generators are trained first, on the training images, and saved in `runs/`.",
        verdict="zoo_attention_gan.verdicts:compare_arms",
        figures=("table",),
    ),
    Experiment(
        name="paper3-attention",
        summary="the generator with 0 to 3 attention modules (not in paper 3)",
        source="no paper has these numbers",
        dataset="mnist",
        seeds=(0, 1, 2),
        rows=ABLATION,
        metrics=("accuracy_score", "agreement", "frechet", "coverage"),
        text="Each generator is trained for 2 epochs of the default recipe, far from convergence.",
        verdict="zoo_attention_gan.verdicts:compare_modules",
        figures=("table",),
    ),
    Experiment(
        name="paper3-small-data",
        summary="few labelled digits, with and without generated ones (not in paper 3)",
        source="no paper has these numbers",
        dataset="mnist",
        seeds=(0, 1, 2),
        rows=BUDGETS,
        text="""\
Only so many of the training images are known, a different choice for each seed, and a generator is trained on those
only. Every set has 12,800 images, with the known ones repeated, and every classifier takes 1,000 steps.""",
        verdict="zoo_attention_gan.verdicts:compare_budgets",
        figures=("table",),
    ),
)
