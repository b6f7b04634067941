"""Verify saved models: every hash, the golden outputs, and the stated scores if the data is on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from zoo.api import dataset, load
from zoo.data import Images
from zoo.device import get_dtype_name
from zoo.errors import SourceError, UnknownNameError, ZooError
from zoo.hub.resolve import resolve_reference
from zoo.inference.golden import TOLERANCE, compute_golden_outputs, max_relative_difference
from zoo.model import Model
from zoo.saving.artifact import read_artifact
from zoo.saving.manifest import Manifest, Score

DEFAULT_TOLERANCE = 0.1
"""Tolerance of golden outputs in a dtype that `TOLERANCE` does not list."""
SCORE_TOLERANCE = 1e-3
"""Largest difference of an accuracy: another machine may sum in another order and label an image or two differently."""


@dataclass(frozen=True, kw_only=True)
class ScoreCheck:
    """A stated accuracy beside the measured one.

    Args:
        data: Name of the images.
        stated: Accuracy in the manifest.
        measured: Accuracy now; None if it was not measured.
        reason: Why it was not measured.
    """

    data: str
    stated: float
    measured: float | None = None
    reason: str = ""

    @property
    def is_reproduced(self) -> bool:
        """Whether the measured accuracy is the stated one, or could not be measured."""
        return self.measured is None or abs(self.measured - self.stated) <= SCORE_TOLERANCE


@dataclass(frozen=True, kw_only=True)
class VerifyResult:
    """The result of verifying one saved model.

    Args:
        reference: The model's reference.
        num_tensors: Number of tensors whose sha256 is the one in the manifest.
        golden_difference: Largest difference from the golden outputs, as a share of the largest logit; None if the
            manifest has none.
        scores: Stated and measured scores.
        problem: What is wrong, or an empty string.
    """

    reference: str
    num_tensors: int = 0
    golden_difference: float | None = None
    scores: tuple[ScoreCheck, ...] = field(default_factory=tuple)
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether no problem was found."""
        return not self.problem


def verify(reference: str | Path, *, rescore: bool = True) -> VerifyResult:
    """Verify a saved model. A problem is returned in the result, not raised.

    Args:
        reference: Any reference that `zoo.load` takes.
        rescore: Also measure its stated scores again, if the images are on this machine.
    """
    name = str(reference)
    try:
        resolved = resolve_reference(reference)
        model, manifest = load(resolved.reference), read_artifact(resolved.folder).manifest
    except ZooError as error:
        return VerifyResult(reference=name, problem=str(error))
    try:
        golden = _compare_golden_outputs(model, manifest) if manifest.golden else None
        scores = tuple(check_score(model, score) for score in manifest.scores) if rescore else ()
    except Exception as error:  # this runs code of a plugin, which may raise anything
        problem = f"it cannot be run: {type(error).__name__}: {error}"
        return VerifyResult(reference=name, num_tensors=len(manifest.tensors), problem=problem)
    problem = _describe_problem(golden, TOLERANCE.get(get_dtype_name(model.net), DEFAULT_TOLERANCE), scores)
    return VerifyResult(
        reference=name, num_tensors=len(manifest.tensors), golden_difference=golden, scores=scores, problem=problem
    )


def _compare_golden_outputs(model: Model, manifest: Manifest) -> float:
    outputs = compute_golden_outputs(model.net, model.preprocessing, model.spec.task)
    return max_relative_difference(outputs, manifest.golden)


def _describe_problem(golden: float | None, tolerance: float, scores: tuple[ScoreCheck, ...]) -> str:
    problems = []
    if golden is not None and not golden <= tolerance:
        text = (
            f"its outputs differ from the golden outputs by {golden:.2g} of the largest logit, more than {tolerance:g}"
        )
        problems.append(text)
    problems += [
        f"its accuracy on {score.data} is {score.measured:.4f}, and {score.stated:.4f} is stated"
        for score in scores
        if not score.is_reproduced
    ]
    return "; ".join(problems)


def check_score(model: Model, score: Score) -> ScoreCheck:
    """Measure a stated accuracy again on the same images, if they are on this machine."""
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
    """Return a data set's part by a name such as `mnist/test`, or the reason why it is not available."""
    dataset_name, _, part = name.partition("/")
    if part not in ("train", "test"):
        return "it names no data set"
    try:
        images: Images = getattr(dataset(dataset_name), part)
    except UnknownNameError:
        return "no plugin offers that data set"
    except SourceError:
        return "that data set is not on this machine"
    return images
