"""Score a classifier; the result prints as a table. Doors: torchmetrics, scipy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """Precision, recall and F1 of one class, in [0, 1], and its number of images."""

    name: str
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores of a classifier on one image set.

    Args:
        accuracy: Fraction of images whose most probable class is correct.
        interval: 95 % bootstrap interval of the accuracy over the images.
        top_k: Fraction of images whose class is among the k most probable.
        k: The k of `top_k`.
        nll: Mean negative log-likelihood of the true class, in nats.
        ece: Expected calibration error over 15 bins of confidence (Guo et al. 2017, eq. 3), in [0, 1].
        confusion: confusion[i][j] images of class i were predicted as class j.
        per_class: Scores by class.
        count: Number of images.
        data: Name of the image set.
    """

    accuracy: float
    interval: tuple[float, float]
    top_k: float
    k: int
    nll: float
    ece: float
    confusion: tuple[tuple[int, ...], ...]
    per_class: tuple[ClassScore, ...]
    count: int
    data: str = ""

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes."""
        return sum(score.f1 for score in self.per_class) / len(self.per_class)

    def scores(self) -> dict[str, float]:
        """Return the scores by name."""
        by_name = {"accuracy": self.accuracy, "macro_f1": self.macro_f1, f"top_{self.k}": self.top_k}
        return {**by_name, "nll": self.nll, "ece": self.ece}

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        head = {"data": self.data, "count": self.count, **self.scores(), "interval": list(self.interval)}
        by_class = {
            score.name: {"precision": score.precision, "recall": score.recall, "f1": score.f1, "count": score.count}
            for score in self.per_class
        }
        return {**head, "classes": by_class, "confusion": [list(row) for row in self.confusion]}

    def mistakes(self, limit: int = 5) -> list[tuple[str, str, int]]:
        """Return the most frequent (true class, predicted class, number of images) of the confusion matrix."""
        pairs = [
            (self.per_class[i].name, self.per_class[j].name, self.confusion[i][j])
            for i, j in ((i, j) for i in range(len(self.per_class)) for j in range(len(self.per_class)) if i != j)
        ]
        return sorted((pair for pair in pairs if pair[2] > 0), key=lambda pair: -pair[2])[:limit]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        low, high = self.interval
        data_suffix = f" of {self.data}" if self.data else ""
        yield f"accuracy {self.accuracy:.4f} ({low:.4f} to {high:.4f}, 95 %) on {self.count} images{data_suffix}"
        yield f"top-{self.k} {self.top_k:.4f}   macro F1 {self.macro_f1:.4f}   NLL {self.nll:.4f}   ECE {self.ece:.4f}"
        width = max(len(score.name) for score in self.per_class)
        yield f"{'class':<{width}}  precision  recall      F1   images"
        for score in self.per_class:
            scores = f"{score.precision:9.4f}  {score.recall:6.4f}  {score.f1:6.4f}"
            yield f"{score.name:<{width}}  {scores}  {score.count:7d}"
        worst = "; ".join(f"{true} predicted as {predicted} {n}" for true, predicted, n in self.mistakes(3))
        yield f"most frequent mistakes: {worst or 'none'}"


def evaluate_logits(
    logits: Tensor, labels: Tensor, class_names: tuple[str, ...], *, data: str = "", k: int = 5
) -> Evaluation:
    """Score logits (N, K) against labels, int64 (N)."""
    from torchmetrics.functional import classification as tm

    num_classes, k = len(class_names), min(k, len(class_names))
    probabilities = logits.double().softmax(1)
    confusion = tm.multiclass_confusion_matrix(logits, labels, num_classes)
    by_class = {
        name: getattr(tm, f"multiclass_{name}")(logits, labels, num_classes, average="none").tolist()
        for name in ("precision", "recall", "f1_score")
    }
    counts = torch.bincount(labels, minlength=num_classes).tolist()
    num_correct = int((logits.argmax(1) == labels).sum())
    return Evaluation(
        accuracy=num_correct / len(labels),
        interval=bootstrap_interval(num_correct, len(labels)),
        top_k=float((logits.topk(k, 1).indices == labels[:, None]).any(1).double().mean()),
        k=k,
        nll=float(F.nll_loss(probabilities.clamp_min(1e-300).log(), labels)),
        ece=float(tm.multiclass_calibration_error(probabilities.float(), labels, num_classes, n_bins=15, norm="l1")),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        per_class=tuple(
            ClassScore(name=name, precision=p, recall=r, f1=f, count=n)
            for name, p, r, f, n in zip(class_names, *by_class.values(), counts, strict=True)
        ),
        count=len(labels),
        data=data,
    )


def bootstrap_interval(num_correct: int, num_images: int, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile bootstrap interval of an accuracy, exactly.

    A resample of `num_images` predictions has Binomial(num_images, num_correct / num_images) correct ones. So the
    percentiles of infinitely many resamples are the quantiles of that distribution, and no random numbers are needed
    (Efron 1979, section 3).

    >>> bootstrap_interval(900, 1000)
    (0.881, 0.918)
    """
    from scipy.stats import binom

    tail = (1 - level) / 2
    low, high = binom.ppf([tail, 1 - tail], num_images, num_correct / num_images)
    return float(low) / num_images, float(high) / num_images
