"""Check saved models again: every hash, the golden outputs, and with the data at hand the stated scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from zoo.api import dataset, load
from zoo.data import Images
from zoo.device import get_dtype_name
from zoo.errors import SourceError, UnknownNameError, ZooError
from zoo.hub.resolve import resolve_reference
from zoo.inference.golden import TOLERANCE, Golden, compute_golden_outputs, max_relative_difference
from zoo.model import Model
from zoo.saving.artifact import read_artifact
from zoo.saving.manifest import Score

SCORE_TOLERANCE = 1e-3
"""Largest change of an accuracy: another machine may add in another order, and turn an image or two."""


@dataclass(frozen=True, kw_only=True)
class ScoreCheck:
    """A stated accuracy, and what it is today; `measured` is None where it was not taken, and `reason` says so."""

    data: str
    stated: float
    measured: float | None = None
    reason: str = ""

    @property
    def is_reproduced(self) -> bool:
        """Whether the score holds, or could not be taken."""
        return self.measured is None or abs(self.measured - self.stated) <= SCORE_TOLERANCE


@dataclass(frozen=True, kw_only=True)
class VerifyResult:
    """What became of one saved model.

    Args:
        reference: What was checked.
        num_tensors: How many tensors had the sha256 their manifest states.
        golden_difference: Largest difference from the golden outputs, as a share of the largest logit; None without any.
        scores: Stated scores beside today's.
        problem: What is wrong, or empty.
    """

    reference: str
    num_tensors: int = 0
    golden_difference: float | None = None
    scores: tuple[ScoreCheck, ...] = field(default_factory=tuple)
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether everything that could be checked holds."""
        return not self.problem


def verify(reference: str | Path, *, rescore: bool = True) -> VerifyResult:
    """Check a saved model; what is wrong with it is said in the verdict, not raised.

    Args:
        reference: What `zoo.load` takes.
        rescore: Also take its stated scores again, where the images are on this machine.
    """
    name = str(reference)
    try:
        place = resolve_reference(reference)
        model, manifest = load(place.reference), read_artifact(place.folder).manifest
    except ZooError as error:
        return VerifyResult(reference=name, problem=str(error))
    try:
        golden = max_relative_difference(_compute_outputs(model), manifest.golden) if manifest.golden else None
        scores = tuple(check_score(model, score) for score in manifest.scores) if rescore else ()
    except Exception as error:  # a plugin's code runs here, and may fail in any way
        problem = f"it cannot be run: {type(error).__name__}: {error}"
        return VerifyResult(reference=name, num_tensors=len(manifest.tensors), problem=problem)
    problem = _describe_problem(golden, TOLERANCE.get(get_dtype_name(model.net), 0.1), scores)
    return VerifyResult(
        reference=name, num_tensors=len(manifest.tensors), golden_difference=golden, scores=scores, problem=problem
    )


def _compute_outputs(model: Model) -> Golden:
    return compute_golden_outputs(model.net, model.preprocessing, model.spec.task)


def _describe_problem(golden: float | None, tolerance: float, scores: tuple[ScoreCheck, ...]) -> str:
    told = []
    if golden is not None and not golden <= tolerance:
        told.append(f"its outputs differ from the golden ones by {golden:.2g} of the largest logit, over {tolerance:g}")
    told += [
        f"its accuracy on {score.data} is {score.measured:.4f}, and {score.stated:.4f} is stated"
        for score in scores
        if not score.is_reproduced
    ]
    return "; ".join(told)


def check_score(model: Model, score: Score) -> ScoreCheck:
    """Take a stated accuracy again on the same images, if they are on this machine."""
    stated = score.metrics.get("accuracy")
    if stated is None:
        return ScoreCheck(data=score.data, stated=float("nan"), reason="no accuracy is stated")
    images = _find_images(score.data)
    if isinstance(images, str):
        return ScoreCheck(data=score.data, stated=stated, reason=images)
    images = images.with_classes(model.classes)
    if images.fingerprint() != score.fingerprint:
        return ScoreCheck(data=score.data, stated=stated, reason="the images here are not those it was scored on")
    return ScoreCheck(data=score.data, stated=stated, measured=model.evaluate(images).accuracy)


def _find_images(name: str) -> Images | str:
    """Return a data set's part by a name such as `mnist/test`, or why it cannot be had."""
    shelf, _, part = name.partition("/")
    if part not in ("train", "test"):
        return "it names no data set"
    try:
        images: Images = getattr(dataset(shelf), part)
    except UnknownNameError:
        return "no plugin offers that data set"
    except SourceError:
        return "that data set is not on this machine"
    return images
