"""What is kept of a model: everything it knows, as one artifact to write or publish."""

from __future__ import annotations

import math
from typing import Any, Protocol

from torch.nn import Module

from zoo.device import get_dtype_name
from zoo.factory.build import Config
from zoo.history import History
from zoo.inference.golden import compute_golden_outputs
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe
from zoo.saving.artifact import Artifact
from zoo.saving.manifest import Manifest, Origin, Score
from zoo.signature import Classes, Preprocessing


class Kept(Protocol):
    """A model, as far as it is kept."""

    spec: ModelSpec
    origin: Origin
    config: Config
    net: Module
    seed: int
    preprocessing: Preprocessing
    classes: Classes
    history: History
    recipe: Recipe | None
    data: str
    scores: tuple[Score, ...]
    license: str
    base: str
    card: str

    @property
    def num_parameters(self) -> int:
        """Return how many weights it has."""


def to_artifact(model: Kept, reference: str = "") -> Artifact:
    """Return all that is kept of a model; `reference` is how its card says to load it, once it is somewhere."""
    last: dict[str, Any] = model.history[-1] if model.history else {}
    manifest = Manifest(
        model=model.spec.name,
        task=model.spec.task,
        origin=model.origin,
        config=model.config,
        classes=model.classes,
        preprocessing=model.preprocessing,
        seed=model.seed,
        dtype=get_dtype_name(model.net),
        parameters=model.num_parameters,
        recipe=model.recipe,
        data=model.data,
        base=model.base,
        metrics={name: value for name, value in last.items() if name != "epoch" and _is_finite_number(value)},
        scores=model.scores,
        golden=compute_golden_outputs(model.net, model.preprocessing, model.spec.task),
        license=model.license,
        stopped=model.history.stopped,
    )
    state = model.net.state_dict()
    return Artifact(manifest=manifest, state=state, history=model.history, card=model.card, reference=reference)


def _is_finite_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
