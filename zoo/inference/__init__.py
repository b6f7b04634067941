"""Use a trained model: what `predict`, `sample`, `features` and `evaluate` do, by task."""

from collections.abc import Mapping

from zoo.inference.base import ModelLike, Predictor
from zoo.inference.classifier import ClassifierPredictor
from zoo.inference.generator import GeneratorPredictor
from zoo.inference.golden import compute_golden_outputs
from zoo.inference.runner import Prediction, check_top_k, top_predictions
from zoo.metrics.classification import Evaluation
from zoo.task_info import CLASSIFICATION, GENERATION

PREDICTORS: Mapping[str, Predictor] = {
    CLASSIFICATION.name: ClassifierPredictor(),
    GENERATION.name: GeneratorPredictor(),
}
"""The predictor of each task."""

__all__ = [
    "PREDICTORS",
    "ClassifierPredictor",
    "Evaluation",
    "GeneratorPredictor",
    "ModelLike",
    "Prediction",
    "Predictor",
    "check_top_k",
    "compute_golden_outputs",
    "top_predictions",
]
