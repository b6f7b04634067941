"""The contract between `Model` and the predictor of its task."""

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
    """The attributes of a model that a predictor uses."""

    spec: ModelSpec
    net: Module
    preprocessing: Preprocessing
    classes: Classes
    scores: tuple[Score, ...]


class Predictor(Protocol):
    """What a model of one task does when it is used.

    Each method takes the model. A method that the task does not support raises a `ConfigError` that names the method
    to use instead.
    """

    def describe(self, model: ModelLike) -> str:
        """Describe input and output, such as `1 x 28 x 28 to 10 classes`."""

    def logits(self, model: ModelLike, images: Any) -> Tensor:
        """Return logits float32 (N, K)."""

    def features(self, model: ModelLike, images: Any) -> NDArray[np.float32]:
        """Return the features of each image, float32 (N, D): the input of the layer that gives the logits."""

    def predict(self, model: ModelLike, images: Any) -> NDArray[Any]:
        """Return the label of each image, (N) of int or str."""

    def sample(self, model: ModelLike, count_or_labels: Any, seed: int) -> Images:
        """Return labelled images that the model generates."""

    def evaluate(self, model: ModelLike, data: Any, *, top_k: int, store: bool) -> Evaluation:
        """Return scores on labelled images; with `store`, also add them to `model.scores`."""
