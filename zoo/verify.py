"""Check saved models again: every hash, the golden outputs, and with the data at hand the stated scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from zoo.api import dataset, load
from zoo.data import Images
from zoo.errors import SourceError, UnknownNameError, ZooError
from zoo.factory.restore import number_type
from zoo.hub.resolve import found
from zoo.inference.golden import TOLERANCE, Golden, difference, outputs
from zoo.model import Model
from zoo.saving.artifact import read
from zoo.saving.manifest import Score

SCORE_TOLERANCE = 1e-3
"""Largest change of an accuracy: another machine may add in another order, and turn an image or two."""


@dataclass(frozen=True, kw_only=True)
class Rescore:
    """A stated accuracy, and what it is today; `found` is None where it was not taken, and `why` says so."""

    data: str
    stated: float
    found: float | None = None
    why: str = ""

    @property
    def is_same(self) -> bool:
        """Whether the score holds, or could not be taken."""
        return self.found is None or abs(self.found - self.stated) <= SCORE_TOLERANCE


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one saved model.

    Args:
        reference: What was checked.
        tensors: How many tensors had the sha256 their manifest states.
        golden: Largest difference from the golden outputs, as a share of the largest logit; None without any.
        scores: Stated scores beside today's.
        problem: What is wrong, or empty.
    """

    reference: str
    tensors: int = 0
    golden: float | None = None
    scores: tuple[Rescore, ...] = field(default_factory=tuple)
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether everything that could be checked holds."""
        return not self.problem


def verify(reference: str | Path, *, data: bool = True) -> Verdict:
    """Check a saved model; what is wrong with it is said in the verdict, not raised.

    Args:
        reference: What `zoo.load` takes.
        data: Also take its stated scores again, where the images are on this machine.
    """
    name = str(reference)
    try:
        place = found(reference)
        model, manifest = load(place.reference), read(place.folder).manifest
    except ZooError as error:
        return Verdict(reference=name, problem=str(error))
    try:
        golden = difference(_outputs(model), manifest.golden) if manifest.golden else None
        scores = tuple(rescored(model, score) for score in manifest.scores) if data else ()
    except Exception as error:  # a plugin's code runs here, and may fail in any way
        problem = f"it cannot be run: {type(error).__name__}: {error}"
        return Verdict(reference=name, tensors=len(manifest.tensors), problem=problem)
    problem = _problem(golden, TOLERANCE.get(number_type(model.net), 0.1), scores)
    return Verdict(reference=name, tensors=len(manifest.tensors), golden=golden, scores=scores, problem=problem)


def _outputs(model: Model) -> Golden:
    return outputs(model.net, model.preprocessing, model.spec.task)


def _problem(golden: float | None, tolerance: float, scores: tuple[Rescore, ...]) -> str:
    told = []
    if golden is not None and not golden <= tolerance:
        told.append(f"its outputs differ from the golden ones by {golden:.2g} of the largest logit, over {tolerance:g}")
    told += [
        f"its accuracy on {score.data} is {score.found:.4f}, and {score.stated:.4f} is stated"
        for score in scores
        if not score.is_same
    ]
    return "; ".join(told)


def rescored(model: Model, score: Score) -> Rescore:
    """Take a stated accuracy again on the same images, if they are on this machine."""
    stated = score.metrics.get("accuracy")
    if stated is None:
        return Rescore(data=score.data, stated=float("nan"), why="no accuracy is stated")
    images = _images(score.data)
    if isinstance(images, str):
        return Rescore(data=score.data, stated=stated, why=images)
    images = images.with_classes(model.classes)
    if images.fingerprint() != score.fingerprint:
        return Rescore(data=score.data, stated=stated, why="the images here are not those it was scored on")
    return Rescore(data=score.data, stated=stated, found=model.evaluate(images).accuracy)


def _images(name: str) -> Images | str:
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
