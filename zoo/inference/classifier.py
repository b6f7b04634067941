"""Label images with a classifier, and score it on labelled ones."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.data import Images
from zoo.data.inputs import as_inputs
from zoo.data.transforms import Normalize
from zoo.errors import ConfigError
from zoo.inference.base import ModelLike
from zoo.inference.features import extract_features
from zoo.inference.runner import check_top_k, map_batches, run_batches
from zoo.inference.scoring import load_labelled_images, make_score
from zoo.metrics.classification import Evaluation, evaluate_logits
from zoo.tasks import Classification


@final
class ClassifierPredictor:
    """The predictor of classification."""

    def describe(self, model: ModelLike) -> str:
        """Describe input and output, such as `1 x 28 x 28 to 10 classes`."""
        height, width = model.preprocessing.size
        return f"{model.preprocessing.channels} x {height} x {width} to {len(model.classes)} classes"

    def logits(self, model: ModelLike, images: Any) -> Tensor:
        """Return logits float32 (N, K)."""
        inputs = as_inputs(images, model.preprocessing)
        return run_batches(model.net, Classification(Normalize(model.preprocessing)), inputs)

    def features(self, model: ModelLike, images: Any) -> NDArray[np.float32]:
        """Return the features of each image, float32 (N, D): the input of the layer that gives the logits."""
        normalize, net = Normalize(model.preprocessing), model.net

        def extract(batch: Tensor) -> Tensor:
            inputs = normalize(batch).to(next(net.parameters()).dtype)
            return extract_features(net, inputs, name=model.spec.name).float()

        features: NDArray[np.float32] = map_batches(net, extract, as_inputs(images, model.preprocessing)).numpy()
        return features

    def predict(self, model: ModelLike, images: Any) -> NDArray[Any]:
        """Return the label of each image, with the values of the training labels: (N) of int or str."""
        values = np.array(model.classes.values)
        labels: NDArray[Any] = values[self.logits(model, images).argmax(1).numpy()]
        return labels

    def sample(self, model: ModelLike, count_or_labels: Any, seed: int) -> Images:
        """Raise a `ConfigError`: a classifier does not generate images."""
        raise ConfigError(f"{model.spec.name} is a classifier and does not generate images; use model.predict(images)")

    def evaluate(self, model: ModelLike, data: Any, *, top_k: int, store: bool) -> Evaluation:
        """Return accuracy, calibration and scores by class; with `store`, also add them to `model.scores`."""
        images = load_labelled_images(data, model.preprocessing, model.classes)
        logits = self.logits(model, images.pixels)
        result = evaluate_logits(logits, images.labels, model.classes.names, data=images.name, k=check_top_k(top_k))
        if store:
            others = tuple(score for score in model.scores if score.data != images.name)
            model.scores = (*others, make_score(result, images, model.preprocessing, model.net))
        return result
