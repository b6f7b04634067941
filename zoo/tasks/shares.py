"""Targets as the weight that each class has in the loss of a batch."""

from __future__ import annotations

import torch
from torch import Tensor


class SoftTargets:
    """Turns targets into weights t (B, K), so that the batch's loss is the sum of t (log sum exp z - z) over both.

    As `torch.nn.functional.cross_entropy` with reduction `mean` defines it: of class indices the loss is divided by the
    sum of the weights of their classes, of mixed ones by their number.

    Args:
        num_classes: Number of classes, K.
        dtype: Number type of the weights.
        label_smoothing: Share of the target spread over all classes.
        class_weights: Weight of each class, (K).
    """

    def __init__(
        self, num_classes: int, dtype: torch.dtype, *, label_smoothing: float = 0.0, class_weights: Tensor | None = None
    ) -> None:
        self._smoothing = label_smoothing
        self._weights = torch.ones(num_classes) if class_weights is None else class_weights
        self._is_weighted = class_weights is not None
        self._dtype = dtype
        self._table = (self._smooth(torch.eye(num_classes)) * self._weights).to(dtype)  # (K, K)
        self._scaled: dict[int, Tensor] = {}

    def _smooth(self, targets: Tensor) -> Tensor:
        return targets * (1 - self._smoothing) + self._smoothing / targets.shape[1]

    def __call__(self, targets: Tensor) -> Tensor:
        """Return weights (B, K) for class indices int64 (B), or shares (B, K)."""
        num = len(targets)
        if targets.ndim == 2:
            return (self._smooth(targets) * (self._weights / num)).to(self._dtype)
        if self._is_weighted:
            return self._table[targets] / self._weights[targets].sum().to(self._dtype)
        if num not in self._scaled:
            self._scaled[num] = self._table / num
        return self._scaled[num].index_select(0, targets)
