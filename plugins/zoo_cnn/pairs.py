"""The pair that paper 2 finds hardest to tell apart: shirts and T-shirts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, variance

from zoo import Dataset, Model
from zoo.experiment import Cell

SHIRT, T_SHIRT = "Shirt", "T-shirt/top"
BASELINE = "as it is"
COMPARED_METRICS = ("accuracy", "shirts as T-shirts", "T-shirts as shirts")
"""What augmented rows are compared by."""


def shirts(model: Model, dataset: Dataset, *, seed: int, quick: bool) -> Mapping[str, float]:
    """Return which shares of the shirts and T-shirts are taken for each other, and which for what they are."""
    result = model.evaluate(dataset.test)
    place = {score.name: k for k, score in enumerate(result.per_class)}
    shirt, other = place[SHIRT], place[T_SHIRT]

    def share(true: int, taken: int) -> float:
        return result.confusion[true][taken] / max(sum(result.confusion[true]), 1)

    return {
        "shirts as T-shirts": share(shirt, other),
        "T-shirts as shirts": share(other, shirt),
        "shirt recall": share(shirt, shirt),
        "T-shirt recall": share(other, other),
    }


def verdict(cells: Sequence[Cell]) -> Iterator[str]:
    """Say what each augmentation does to accuracy and to the pair, beside the row that has none."""
    rows = dict.fromkeys(cell.row for cell in cells)
    plain = [cell for cell in cells if cell.row == BASELINE]
    for label in rows:
        ours = [cell for cell in cells if cell.row == label]
        if label != BASELINE and min(len(plain), len(ours)) > 1:
            yield f"{label}: {'; '.join(_describe_change(name, plain, ours) for name in COMPARED_METRICS)}."


def _describe_change(name: str, baseline: Sequence[Cell], augmented: Sequence[Cell]) -> str:
    """Return a difference in points with twice its standard error, and whether it is larger than that."""
    before, after = ([cell.metrics[name] for cell in cells] for cells in (baseline, augmented))
    change = mean(after) - mean(before)
    error = 2 * (variance(before) / len(before) + variance(after) / len(after)) ** 0.5
    is_better = (change > 0) == (name == "accuracy")
    word = "no difference that these seeds show" if abs(change) <= error else "better" if is_better else "worse"
    return f"{name} {100 * change:+.2f} points ± {100 * error:.2f} ({word})"
