"""Run one cell: train a row with one seed, and score it."""

from __future__ import annotations

import hashlib
import math
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from zoo.api import create
from zoo.data import Dataset, Images
from zoo.errors import PluginError, ZooError
from zoo.experiment.freshness import compute_inputs, resolve_row_recipe
from zoo.experiment.ledger import Cell, pack_answers
from zoo.files.safetensors import to_bytes
from zoo.model import Model
from zoo.plugins.experiment_spec import Experiment, Row
from zoo.plugins.import_string import import_object
from zoo.recipe import Recipe
from zoo.saving.artifact import collect_versions
from zoo.training.callbacks import Callback


@dataclass(frozen=True, kw_only=True)
class CellScores:
    """The scores of a trained model, by name; see `Cell` for the fields."""

    metrics: dict[str, float]
    confusion: list[list[int]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)


def run_cell(
    experiment: Experiment,
    row: Row,
    seed: int,
    dataset: Dataset,
    device: str | None,
    quick: bool,
    callbacks: Sequence[Callback],
) -> Cell:
    """Train and score a row with one seed.

    Raises:
        ZooError: The row cannot be trained or scored, or one of its functions failed.
    """
    recipe = resolve_row_recipe(row, quick=quick)
    model = create(row.model, seed=seed, **row.config)
    images = _load_training_images(row, dataset, seed, quick)
    start = time.perf_counter()
    model.fit(images, recipe=recipe, device=device, progress=False, callbacks=callbacks)
    seconds = time.perf_counter() - start
    return make_cell(
        row.label,
        seed,
        model,
        recipe,
        seconds,
        scores=_score_model(row, model, dataset, seed, quick),
        inputs=compute_inputs(experiment, row),
        quick=quick,
    )


def make_cell(
    label: str,
    seed: int,
    model: Model,
    recipe: Recipe,
    seconds: float,
    *,
    scores: CellScores,
    inputs: Mapping[str, Any] | None = None,
    quick: bool = False,
) -> Cell:
    """Return the cell of a trained model.

    Args:
        label: The label of the row or of the trial.
        seed: The seed that the model was built and trained with.
        model: The trained model.
        recipe: The complete recipe that it was trained with.
        seconds: Wall time of `fit`.
        scores: The scores of the trained model.
        inputs: The other inputs of the result; see `zoo.experiment.freshness`.
        quick: Whether the training was cut short.
    """
    return Cell(
        row=label,
        seed=seed,
        metrics=scores.metrics,
        history=list(model.history),
        parameters=model.num_parameters,
        seconds=round(seconds, 2),
        device=describe_device(model),
        versions=collect_versions(),
        weights=hashlib.sha256(to_bytes(model.net.state_dict(), "")).hexdigest(),
        recipe=recipe.to_json(),
        inputs=dict(inputs or {}),
        confusion=scores.confusion,
        answers=scores.answers,
        quick=quick,
    )


def _load_training_images(row: Row, dataset: Dataset, seed: int, quick: bool) -> Images:
    if not row.train:
        return dataset.train
    images = _call_function(row.train, row, dataset, seed=seed, quick=quick)
    if not isinstance(images, Images):
        raise PluginError(f"{row.train} of row {row.label!r} returned {type(images).__name__}, not zoo.Images")
    return images


def _call_function(target: str, row: Row, *arguments: Any, seed: int, quick: bool) -> Any:
    """Call a function that a row names; any error in it becomes a `PluginError`."""
    function = import_object(target, f"row {row.label!r}")
    try:
        return function(*arguments, seed=seed, quick=quick)
    except ZooError:
        raise
    except Exception as error:
        raise PluginError(f"{target} of row {row.label!r} failed: {type(error).__name__}: {error}") from error


def _score_model(row: Row, model: Model, dataset: Dataset, seed: int, quick: bool) -> CellScores:
    scores = CellScores(metrics={})
    if model.spec.task_info.has_accuracy:
        result = model.evaluate(dataset.test)
        scores.metrics.update(accuracy=result.accuracy, nll=result.nll, ece=result.ece)
        scores.confusion.extend(list(counts) for counts in result.confusion)
    if row.score:
        _add_scores(_call_function(row.score, row, model, dataset, seed=seed, quick=quick), scores, row)
    if not scores.metrics:
        raise PluginError(f"row {row.label!r} has no metric: set `score` in the row of a generator")
    return scores


def _add_scores(values: Any, scores: CellScores, row: Row) -> None:
    """Add numbers to the metrics, and tensors with one number for each image to the answers."""
    if not isinstance(values, Mapping):
        raise PluginError(f"{row.score} of row {row.label!r} returned {type(values).__name__}, not metrics by name")
    for name, value in values.items():
        if isinstance(value, torch.Tensor) and value.dtype == torch.uint8 and value.ndim == 1:
            scores.answers[name] = pack_answers(value.cpu().numpy())
        elif isinstance(value, int | float) and math.isfinite(value):
            scores.metrics[name] = float(value)
        else:
            problem = f"{name} is {value!r}, neither a finite number nor a uint8 tensor (N)"
            raise PluginError(f"{row.score} of row {row.label!r}: {problem}")


def describe_device(model: Model) -> str:
    """Return the name of a model's device, for a CPU with the number of threads."""
    device = next(model.net.parameters()).device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
