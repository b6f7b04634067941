"""Compare the rows of paper 3's tables in sentences that are computed from the cells' numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Protocol


class Cell(Protocol):
    """The fields of a cell that are read here."""

    row: str
    seed: int
    metrics: dict[str, float]


def compare_arms(cells: Sequence[Cell]) -> list[str]:
    """Return for each classifier how each arm compares with the original images, over the seeds that both have."""
    scores = _get_scores(cells)
    models = dict.fromkeys(label.partition(": ")[2] for label in scores)
    others = [arm for arm in dict.fromkeys(label.partition(": ")[0] for label in scores) if arm != "original"]
    pairs = ((model, arm) for model in models for arm in others)
    sentences = (_describe_gain(model, scores, f"{arm}: {model}", f"original: {model}") for model, arm in pairs)
    return [sentence for sentence in sentences if sentence]


def compare_budgets(cells: Sequence[Cell]) -> list[str]:
    """Return for each budget how real and generated images together compare with the real ones only."""
    scores = _get_scores(cells)
    budgets = dict.fromkeys(label.partition(": ")[2] for label in scores)
    pairs = ((budget, suffix) for budget in budgets for suffix in ("", ", augmented"))
    sentences = (
        _describe_gain(budget, scores, f"both{suffix}: {budget}", f"real{suffix}: {budget}") for budget, suffix in pairs
    )
    return [sentence for sentence in sentences if sentence]


def compare_modules(cells: Sequence[Cell]) -> list[str]:
    """Return how each number of attention modules compares with none, by the accuracy score of the images."""
    scores = _get_scores(cells, "accuracy_score")
    sentences = (
        _describe_gain("accuracy score", scores, label, "0 attention modules")
        for label in sorted(scores)
        if label[0] != "0"
    )
    return [sentence for sentence in sentences if sentence]


def _get_scores(cells: Sequence[Cell], metric: str = "accuracy") -> dict[str, dict[int, float]]:
    """Return a metric by label and seed."""
    scores: dict[str, dict[int, float]] = {}
    for cell in cells:
        scores.setdefault(cell.row, {})[cell.seed] = cell.metrics[metric]
    return scores


def _describe_gain(name: str, scores: Mapping[str, Mapping[int, float]], label: str, baseline_label: str) -> str:
    """Return a sentence on one row compared with another, or an empty string if they share no seed."""
    by_seed, baseline_by_seed = scores.get(label, {}), scores.get(baseline_label, {})
    gains = [100 * (by_seed[seed] - baseline_by_seed[seed]) for seed in by_seed if seed in baseline_by_seed]
    if not gains:
        return ""
    first, second = label.partition(": ")[0], baseline_label.partition(": ")[0]
    spread = f" ± {stdev(gains):.2f}" if len(gains) > 1 else ""
    count = f"{len(gains)} seeds" if len(gains) > 1 else "1 seed"
    return (
        f"{name}: {first} against {second} {mean(gains):+.2f}{spread} points ({count}, paired): {_judge_gains(gains)}."
    )


def _judge_gains(gains: Sequence[float]) -> str:
    if len(gains) < 2:
        return "one seed decides nothing"
    if min(gains) > 0:
        return "better with every seed"
    return "worse with every seed" if max(gains) < 0 else "no clear difference"
