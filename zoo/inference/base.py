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


class Player(Protocol):
    """A model, as far as a role uses it."""

    spec: ModelSpec
    net: Module
    preprocessing: Preprocessing
    classes: Classes
    scores: tuple[Score, ...]


class Role(Protocol):
    """What a model does; each method takes the model, and raises a `ConfigError` where its task has no such thing."""

    def told(self, model: Player) -> str:
        """Return in words what goes in and what comes out."""

    def logits(self, model: Player, images: Any) -> Tensor:
        """Return logits float32 (N, K)."""

    def features(self, model: Player, images: Any) -> NDArray[np.float32]:
        """Return what the net has found in each image before it decides, float32 (N, D)."""

    def predict(self, model: Player, asked: Any, seed: int | None) -> NDArray[Any]:
        """Return the answer to what `Model.predict` was asked."""

    def draw(self, model: Player, asked: Any, seed: int) -> Images:
        """Return images that the model draws."""

    def evaluate(self, model: Player, data: Any, *, top: int, keep: bool) -> Evaluation:
        """Return scores on labelled images, kept in `model.scores` if asked."""
