"""Decide on paper 1's claim by the rule in the text of its experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.experiment import Cell
from zoo_graph_encoders.robustness import CHANGES, get_strength_weights

NUM_RESAMPLES = 1000
ARMS = ("upright", "turned")
GRAPH_MODEL, RIVALS = "GCN+", ("CNN, as many weights", "CNN, as accurate")
PAPERS = ("GCN of paper 1", "CNN of 421,642 weights")


class Difference(NamedTuple):
    """The difference in accuracy of two models under a change, with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 if the interval is above 0, -1 if it is below, else 0."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0

    def __str__(self) -> str:
        return f"{100 * self.mean:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f})"


def bootstrap_difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> Difference:
    """Compare two models by the weighted shares (seeds, N) of strengths at which each image is predicted correctly.

    The rows are the seeds that both have. The interval is a paired bootstrap (Efron 1979) over images and seeds.
    """
    paired, generator = first - second, np.random.default_rng(0)
    num_seeds, num = paired.shape
    means = []
    for _ in range(NUM_RESAMPLES):
        share = np.bincount(generator.integers(num_seeds, size=num_seeds), minlength=num_seeds) / num_seeds
        means.append((share @ paired)[generator.integers(num, size=num)].mean())
    low, high = np.quantile(means, (0.025, 0.975))
    return Difference(float(paired.mean()), float(low), float(high))


def verdict(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield for each arm and change whether the claim holds, by the rule in the text of the experiment."""
    by_row: dict[str, dict[int, Cell]] = {}
    for cell in cells:
        by_row.setdefault(cell.row, {})[cell.seed] = cell
    for arm in ARMS:
        for change in CHANGES:
            differences = {rival: _compare_rows(by_row, arm, change, GRAPH_MODEL, rival) for rival in RIVALS}
            if all(differences.values()):
                text = _describe_verdict(arm, change, {rival: each for rival, each in differences.items() if each})
                yield f"{text} {_describe_by_strength(by_row, arm, change)}"
        paper = _compare_rows(by_row, arm, "rotation", *PAPERS)
        if paper:
            yield f"Trained {arm}, under rotation: {PAPERS[0]} against {PAPERS[1]} {paper[0]}, n = {paper[1]}."


def _describe_verdict(arm: str, change: str, differences: Mapping[str, tuple[Difference, int]]) -> str:
    signs = {each.sign for each, _ in differences.values()}
    word = "the claim holds" if signs == {1} else "the claim does not hold" if -1 in signs else "it is open"
    comparisons = "; ".join(f"against {rival} {each}, n = {count}" for rival, (each, count) in differences.items())
    return f"Trained {arm}, under {change}: **{word}**. {GRAPH_MODEL} {comparisons}."


def _describe_by_strength(by_row: Mapping[str, Mapping[int, Cell]], arm: str, change: str) -> str:
    """Return a sentence on the strengths at which the graph network's mean is above those of all rivals."""
    ahead: list[str] = []
    behind: list[str] = []
    for strength in CHANGES[change][1]:
        graph_mean, *rival_means = (
            _mean_metric(by_row[f"{arm}: {label}"], f"{change}@{strength:g}") for label in (GRAPH_MODEL, *RIVALS)
        )
        (ahead if graph_mean > max(rival_means) else behind).append(f"{strength:g}")
    if not ahead or not behind:
        return f"At {'every' if ahead else 'no'} strength it is ahead of both."
    return f"It is ahead of both at {', '.join(ahead)}, and not at {', '.join(behind)}."


def _mean_metric(cells: Mapping[int, Cell], metric: str) -> float:
    return mean(cell.metrics[metric] for cell in cells.values())


def _compare_rows(
    by_row: Mapping[str, Mapping[int, Cell]], arm: str, change: str, first: str, second: str
) -> tuple[Difference, int] | None:
    """Return the difference of two rows and its number of seeds, or None if they share no seed."""
    pair: list[Any] = [by_row.get(f"{arm}: {label}", {}) for label in (first, second)]
    seeds = sorted(set(pair[0]) & set(pair[1]))
    if not seeds:
        return None
    total = sum(get_strength_weights(change))
    shares = [np.stack([cells[seed].unpack_answers(f"{change} right") / total for seed in seeds]) for cells in pair]
    return bootstrap_difference(*shares), len(seeds)
