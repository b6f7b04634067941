"""What paper 3's arms show beside each other: sentences whose every word comes from the cells' numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Protocol


class Cell(Protocol):
    """A cell of a table, as far as it is looked at."""

    row: str
    seed: int
    metrics: dict[str, float]


def compare_arms(cells: Sequence[Cell]) -> list[str]:
    """Return for each classifier how each arm stands to the original images, over the seeds that both were run with."""
    scores = _get_scores(cells)
    models = dict.fromkeys(label.partition(": ")[2] for label in scores)
    others = [arm for arm in dict.fromkeys(label.partition(": ")[0] for label in scores) if arm != "original"]
    pairs = ((model, arm) for model in models for arm in others)
    told = (_describe_gain(model, scores, f"{arm}: {model}", f"original: {model}") for model, arm in pairs)
    return [sentence for sentence in told if sentence]


def compare_budgets(cells: Sequence[Cell]) -> list[str]:
    """Return for each budget how drawn images beside the real ones stand to the real ones alone."""
    scores = _get_scores(cells)
    known = dict.fromkeys(label.partition(": ")[2] for label in scores)
    ways = ((number, how) for number in known for how in ("", ", augmented"))
    told = (_describe_gain(number, scores, f"both{how}: {number}", f"real{how}: {number}") for number, how in ways)
    return [sentence for sentence in told if sentence]


def compare_modules(cells: Sequence[Cell]) -> list[str]:
    """Return how each number of attention modules stands to none, by the accuracy score of what is drawn."""
    scores = _get_scores(cells, "accuracy_score")
    told = (
        _describe_gain("accuracy score", scores, label, "0 attention modules")
        for label in sorted(scores)
        if label[0] != "0"
    )
    return [sentence for sentence in told if sentence]


def _get_scores(cells: Sequence[Cell], metric: str = "accuracy") -> dict[str, dict[int, float]]:
    """Return a metric by label and seed."""
    scores: dict[str, dict[int, float]] = {}
    for cell in cells:
        scores.setdefault(cell.row, {})[cell.seed] = cell.metrics[metric]
    return scores


def _describe_gain(name: str, scores: Mapping[str, Mapping[int, float]], label: str, baseline_label: str) -> str:
    """Return how one row stands to another, or nothing where they share no seed."""
    ours, theirs = scores.get(label, {}), scores.get(baseline_label, {})
    gains = [100 * (ours[seed] - theirs[seed]) for seed in ours if seed in theirs]
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
