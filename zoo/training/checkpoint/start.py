"""What a model is before a training, as JSON: from there the same data make the same training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.history import History
from zoo.signature import Classes, Preprocessing
from zoo.training.checkpoint.fingerprint import TrainableModel


def capture_start(model: TrainableModel) -> dict[str, Any]:
    """Return all of a model that a training may change but for its weights."""
    return {
        "classes": {"values": list(model.classes.values), "names": list(model.classes.names)},
        "preprocessing": vars(model.preprocessing),
        "base": model.base,
        "history": list(model.history),
        "stopped": model.history.stopped,
    }


def restore_start(model: TrainableModel, start: Mapping[str, Any]) -> None:
    """Bring a model to what `start_of` returned."""
    model.classes = Classes.of(start["classes"]["values"], start["classes"]["names"])
    model.preprocessing = Preprocessing(**start["preprocessing"])
    model.base, model.history = start["base"], History(start["history"], stopped=start["stopped"])
