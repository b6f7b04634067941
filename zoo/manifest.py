"""What is stored with weights, as a value: to JSON and, checked, back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import WeightsError, ZooError
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The plugin that provides a model: its name, distribution and version."""

    plugin: str
    distribution: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything about a saved model but the numbers themselves.

    Args:
        model: Name on the shelf `zoo.models`.
        origin: The plugin that provides it.
        config: The complete config.
        classes: The classes.
        preprocessing: What it expects of images.
        recipe: How it was last trained, or None if never.
        seed: Seed of its first weights.
        data: Name of the data set it was last trained on, if it has one.
        metrics: Last row of its history.
        stopped: Why training ended early, or empty.
        versions: Versions of zoo, torch and Python.
        tensors: Type and shape of each tensor by name.
        files: sha256 of each other file in the folder, by name.
    """

    model: str
    origin: Origin
    config: Mapping[str, Any]
    classes: Classes
    preprocessing: Preprocessing
    seed: int
    recipe: Recipe | None = None
    data: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    stopped: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the manifest as JSON text."""
        record = {
            "format": FORMAT,
            "model": self.model,
            "plugin": vars(self.origin),
            "config": self.config,
            "classes": {"values": self.classes.values, "names": self.classes.names},
            "preprocessing": vars(self.preprocessing),
            "recipe": self.recipe.to_json() if self.recipe else None,
            "seed": self.seed,
            "data": self.data,
            "metrics": dict(self.metrics),
            "stopped": self.stopped,
            "versions": dict(self.versions),
            "tensors": {name: dict(entry) for name, entry in self.tensors.items()},
            "files": dict(self.files),
        }
        return json.dumps(record, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, name: str) -> Manifest:
        """Read what `to_json` wrote.

        Raises:
            WeightsError: It is no JSON, a field is missing or of another kind, or the format is a newer one.
        """
        record = _record(text, name)
        if record.get("format") != FORMAT:
            raise WeightsError(
                f"{name} has format {record.get('format')!r}, this zoo reads {FORMAT}; upgrade zoo-models"
            )

        def read(key: str, kind: type, make: Callable[[Any], Any] = lambda value: value) -> Any:
            value = record.get(key)
            if not isinstance(value, kind):
                raise WeightsError(f"{name}: {key!r} is {_told(value)}, expected {kind.__name__}")
            try:
                return make(value)
            except (ZooError, TypeError, KeyError, ValueError) as error:
                raise WeightsError(f"{name}: {key!r} cannot be used: {error}") from error

        return cls(
            model=read("model", str),
            origin=read("plugin", dict, lambda value: Origin(**value)),
            config=read("config", dict, lambda value: {key: _tuples(each) for key, each in value.items()}),
            classes=read("classes", dict, lambda value: Classes.of(value["values"], value["names"])),
            preprocessing=read("preprocessing", dict, lambda value: Preprocessing(**value)),
            recipe=read("recipe", dict, Recipe.from_json) if record.get("recipe") is not None else None,
            seed=read("seed", int, _seed),
            data=read("data", str),
            metrics=read("metrics", dict),
            stopped=read("stopped", str),
            versions=read("versions", dict),
            tensors=read("tensors", dict),
            files=read("files", dict),
        )


def _record(text: str | bytes, name: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{name} is no JSON: {error}") from error
    if not isinstance(record, dict):
        raise WeightsError(f"{name} is no JSON object")
    return record


def _seed(value: int) -> int:
    if isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"{value} is no seed")
    return value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


def _told(value: Any) -> str:
    return "missing" if value is None else type(value).__name__
