"""The contract between a model and what its task makes of it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module

from zoo.data import Images
from zoo.metrics.classification import Evaluation
from zoo.plugins.spec import ModelSpec
from zoo.saving.manifest import Score
from zoo.signature import Classes, Preprocessing


class ModelLike(Protocol):
    """A model, as far as a role uses it."""

    spec: ModelSpec
    net: Module
    preprocessing: Preprocessing
    classes: Classes
    scores: tuple[Score, ...]


class Predictor(Protocol):
    """What a model does; each method takes the model, and raises a `ConfigError` where its task has no such thing."""

    def describe(self, model: ModelLike) -> str:
        """Return in words what goes in and what comes out."""

    def logits(self, model: ModelLike, images: Any) -> Tensor:
        """Return logits float32 (N, K)."""

    def features(self, model: ModelLike, images: Any) -> NDArray[np.float32]:
        """Return what the net has found in each image before it decides, float32 (N, D)."""

    def predict(self, model: ModelLike, images: Any, seed: int | None) -> NDArray[Any]:
        """Return the answer to what `Model.predict` was asked."""

    def sample(self, model: ModelLike, count_or_labels: Any, seed: int) -> Images:
        """Return images that the model draws."""

    def evaluate(self, model: ModelLike, data: Any, *, top_k: int, store: bool) -> Evaluation:
        """Return scores on labelled images, kept in `model.scores` if asked."""
