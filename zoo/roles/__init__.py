"""What a model of a task does when it is used: what `predict`, `evaluate` and `draw` mean for it."""

from collections.abc import Mapping

from zoo.roles.classifier import Classifier
from zoo.roles.generator import Generator
from zoo.roles.role import Player, Role

ROLES: Mapping[str, Role] = {"classification": Classifier(), "generation": Generator()}
"""The role of each task."""

__all__ = ["ROLES", "Classifier", "Generator", "Player", "Role"]
