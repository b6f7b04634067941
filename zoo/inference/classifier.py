"""A classifier: it labels images, and is scored on labelled ones."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.data import Images
from zoo.data.inputs import inputs_of
from zoo.data.transforms import Normalize
from zoo.errors import ConfigError
from zoo.inference.base import Player
from zoo.inference.features import features_of
from zoo.inference.runner import answers, checked_top, mapped
from zoo.inference.scoring import labelled, score_of
from zoo.metrics.classification import Evaluation, evaluation
from zoo.tasks import Classification


@final
class Classifier:
    """What a model that learns `classification` does."""

    def told(self, model: Player) -> str:
        """Return in words what goes in and what comes out."""
        height, width = model.preprocessing.size
        return f"{model.preprocessing.channels} x {height} x {width} to {len(model.classes)} classes"

    def logits(self, model: Player, images: Any) -> Tensor:
        """Return logits float32 (N, K)."""
        inputs = inputs_of(images, model.preprocessing)
        return answers(model.net, Classification(Normalize(model.preprocessing)), inputs)

    def features(self, model: Player, images: Any) -> NDArray[np.float32]:
        """Return what the net has found in each image before it decides, float32 (N, D)."""
        normalize, net = Normalize(model.preprocessing), model.net

        def ask(batch: Tensor) -> Tensor:
            inputs = normalize(batch).to(next(net.parameters()).dtype)
            return features_of(net, inputs, name=model.spec.name).float()

        found: NDArray[np.float32] = mapped(net, ask, inputs_of(images, model.preprocessing)).numpy()
        return found

    def predict(self, model: Player, asked: Any, seed: int | None) -> NDArray[Any]:
        """Return the label of each image, as the training data had them: (N) of int or str."""
        if seed is not None:
            raise ConfigError(f"{model.spec.name} labels images, and draws nothing by chance; leave seed out")
        values = np.array(model.classes.values)
        labels: NDArray[Any] = values[self.logits(model, asked).argmax(1).numpy()]
        return labels

    def draw(self, model: Player, asked: Any, seed: int) -> Images:
        """Raise: a classifier draws nothing."""
        raise ConfigError(f"{model.spec.name} labels images and draws none; predict labels them")

    def evaluate(self, model: Player, data: Any, *, top: int, keep: bool) -> Evaluation:
        """Return accuracy, calibration and scores by class."""
        images = labelled(data, model.preprocessing, model.classes)
        logits = self.logits(model, images.pixels)
        result = evaluation(logits, images.labels, model.classes.names, data=images.name, k=checked_top(top))
        if keep:
            others = tuple(score for score in model.scores if score.data != images.name)
            model.scores = (*others, score_of(result, images, model.preprocessing, model.net))
        return result
