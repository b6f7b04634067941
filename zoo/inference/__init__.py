"""What a model of a task does when it is used: what `predict`, `evaluate` and `draw` mean for it."""

from collections.abc import Mapping

from zoo.inference.base import Player, Role
from zoo.inference.classifier import Classifier
from zoo.inference.generator import Generator

ROLES: Mapping[str, Role] = {"classification": Classifier(), "generation": Generator()}
"""The role of each task."""

__all__ = ["ROLES", "Classifier", "Generator", "Player", "Role"]
