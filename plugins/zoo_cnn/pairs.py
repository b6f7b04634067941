"""Measure how often shirts and T-shirts are confused, the hardest pair of classes in paper 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, variance

from zoo import Dataset, Model
from zoo.experiment import Cell

SHIRT, T_SHIRT = "Shirt", "T-shirt/top"
BASELINE = "as it is"
COMPARED_METRICS = ("accuracy", "shirts as T-shirts", "T-shirts as shirts")
"""The metrics by which augmented rows are compared."""


def shirts(model: Model, dataset: Dataset, *, seed: int, quick: bool) -> Mapping[str, float]:
    """Return the shares of shirts and T-shirts that are predicted as each other, and as themselves."""
    result = model.evaluate(dataset.test)
    index = {score.name: k for k, score in enumerate(result.per_class)}
    shirt, t_shirt = index[SHIRT], index[T_SHIRT]

    def compute_share(label: int, predicted: int) -> float:
        return result.confusion[label][predicted] / max(sum(result.confusion[label]), 1)

    return {
        "shirts as T-shirts": compute_share(shirt, t_shirt),
        "T-shirts as shirts": compute_share(t_shirt, shirt),
        "shirt recall": compute_share(shirt, shirt),
        "T-shirt recall": compute_share(t_shirt, t_shirt),
    }


def verdict(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield how each augmentation changes accuracy and confusion, compared with the row without augmentation."""
    rows = dict.fromkeys(cell.row for cell in cells)
    baseline = [cell for cell in cells if cell.row == BASELINE]
    for label in rows:
        augmented = [cell for cell in cells if cell.row == label]
        if label != BASELINE and min(len(baseline), len(augmented)) > 1:
            yield f"{label}: {'; '.join(_describe_change(name, baseline, augmented) for name in COMPARED_METRICS)}."


def _describe_change(name: str, baseline: Sequence[Cell], augmented: Sequence[Cell]) -> str:
    """Return a difference in percentage points, twice its standard error, and whether it exceeds that."""
    before, after = ([cell.metrics[name] for cell in cells] for cells in (baseline, augmented))
    change = mean(after) - mean(before)
    error = 2 * (variance(before) / len(before) + variance(after) / len(after)) ** 0.5
    is_better = (change > 0) == (name == "accuracy")
    word = "no clear difference" if abs(change) <= error else "better" if is_better else "worse"
    return f"{name} {100 * change:+.2f} points ± {100 * error:.2f} ({word})"
