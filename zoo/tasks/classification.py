"""Classification: one player, trained by cross-entropy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from zoo.data import Batch, ExternalLoader, Loader
from zoo.data.transforms import Normalize
from zoo.errors import ConfigError
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing
from zoo.tasks.base import Loss, Tally


class Classification:
    """Learn class indices from images; the net returns logits (B, K).

    Args:
        normalize: Turns uint8 or [0, 1] images into the input of the net.
        label_smoothing: Fraction of the target that is spread over all classes.
        class_weights: Weight of each class in the training loss, (K); scores are never weighted.
    """

    is_cross_entropy = True

    def __init__(
        self, normalize: Normalize, *, label_smoothing: float = 0.0, class_weights: Tensor | None = None
    ) -> None:
        self._normalize = normalize
        self._label_smoothing = label_smoothing
        self._class_weights = class_weights
        self._soft_targets: SoftTargets | None = None

    def players(self, net: Module) -> dict[str, Module]:
        """Return the one player, `net`."""
        return {"net": net}

    def losses(self, nets: Mapping[str, Module], batch: Batch) -> Iterator[Loss]:
        """Yield the cross-entropy of a batch, with the accuracy of the same forward pass."""
        num = len(batch.images)
        if hasattr(nets["net"], "cross_entropy"):
            loss, num_correct, gradient = self._fused_cross_entropy(nets, batch)
        else:
            logits, gradient = self.predict(nets, batch.images), None
            weights = None if self._class_weights is None else self._class_weights.to(logits.device)
            loss = F.cross_entropy(logits, batch.targets, weight=weights, label_smoothing=self._label_smoothing)
            num_correct = _count_correct(logits.detach(), batch.targets)
        yield Loss("net", loss, {"loss": (loss.detach() * num, num), "accuracy": (num_correct, num)}, gradient)

    def _fused_cross_entropy(self, nets: Mapping[str, Module], batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return loss, number of correct predictions and gradient, computed in one call; see `zoo.fused`."""
        net: Any = nets["net"]
        if self._soft_targets is None:
            self._soft_targets = SoftTargets(
                net.num_classes, net.dtype, label_smoothing=self._label_smoothing, class_weights=self._class_weights
            )
        result: tuple[Tensor, Tensor, Tensor] = net.cross_entropy(
            self._normalize(batch.images).to(net.dtype), self._soft_targets(batch.targets)
        )
        return result

    def predict(self, nets: Mapping[str, Module], images: Tensor) -> Tensor:
        """Return logits (B, K) as float32."""
        net = nets["net"]
        logits: Tensor = net(self._normalize(images).to(next(net.parameters()).dtype))
        return logits.float()

    @torch.no_grad()
    def tally(self, nets: Mapping[str, Module], batch: Batch) -> Tally:
        """Return the summed negative log-likelihood and the number of correct predictions, by hard labels."""
        logits = self.predict(nets, batch.images)
        loss = F.cross_entropy(logits, batch.targets, reduction="sum")
        num = len(batch.images)
        return {"loss": (loss, num), "accuracy": (_count_correct(logits, batch.targets), num)}


def _count_correct(logits: Tensor, targets: Tensor) -> Tensor:
    labels = targets.argmax(1) if targets.ndim == 2 else targets
    return (logits.argmax(1) == labels).sum()


def build_classification(
    recipe: Recipe, preprocessing: Preprocessing, classes: Classes, train: Loader | ExternalLoader
) -> Classification:
    """Return the task with the loss that a recipe sets.

    Raises:
        ConfigError: The number of class weights is not the number of classes.
    """
    return Classification(
        Normalize(preprocessing),
        label_smoothing=recipe.label_smoothing,
        class_weights=compute_class_weights(recipe, classes, train),
    )


def compute_class_weights(recipe: Recipe, classes: Classes, train: Loader | ExternalLoader) -> Tensor | None:
    """Return the loss weight of each class (K), or None for equal weights.

    `balanced` weights are inversely proportional to the number of training images of the class.
    """
    if recipe.class_weights is None:
        return None
    if recipe.class_weights == "balanced" and isinstance(train, Loader):
        counts = torch.bincount(train.images.labels.cpu(), minlength=len(classes)).float()
        return torch.where(counts > 0, counts.sum() / (counts.clamp_min(1) * (counts > 0).sum()), 0.0)
    weights = torch.tensor(recipe.class_weights, dtype=torch.float32)
    if len(weights) != len(classes):
        raise ConfigError(f"class_weights has {len(weights)} numbers for {len(classes)} classes")
    return weights


class SoftTargets:
    """Convert targets to weights t (B, K) such that the loss of a batch is the sum of t (logsumexp(z) - z).

    The sum is over images and classes, and z (B, K) are the logits. It equals `torch.nn.functional.cross_entropy` with
    reduction `mean`: for class indices the loss is divided by the sum of the weights of their classes, and for mixed
    targets by the number of images.

    Args:
        num_classes: Number of classes, K.
        dtype: Dtype of the weights.
        label_smoothing: Fraction of the target that is spread over all classes.
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
        """Return weights (B, K) for class indices int64 (B), or for mixed targets (B, K)."""
        num = len(targets)
        if targets.ndim == 2:
            return (self._smooth(targets) * (self._weights / num)).to(self._dtype)
        if self._is_weighted:
            return self._table[targets] / self._weights[targets].sum().to(self._dtype)
        if num not in self._scaled:
            self._scaled[num] = self._table / num
        return self._scaled[num].index_select(0, targets)
