"""What a model of a task does when it is used: what `predict`, `evaluate` and `draw` mean for it."""

from collections.abc import Mapping

from zoo.inference.base import ModelLike, Predictor
from zoo.inference.classifier import ClassifierPredictor
from zoo.inference.generator import GeneratorPredictor

PREDICTORS: Mapping[str, Predictor] = {"classification": ClassifierPredictor(), "generation": GeneratorPredictor()}
"""The role of each task."""

__all__ = ["PREDICTORS", "ClassifierPredictor", "GeneratorPredictor", "ModelLike", "Predictor"]
