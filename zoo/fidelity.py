"""How like real images a generator's are: distances on the features of a classifier that ships with zoo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.api import create, load
from zoo.data import Images
from zoo.errors import ConfigError, ImageError, listed
from zoo.metrics.classification import Evaluation
from zoo.metrics.generation import NEIGHBOURS, frechet, kernel, outlines
from zoo.model import Model
from zoo.saving import bundled as shipped

COUNT = 2000
SCORES = ("frechet", "kernel", "precision", "recall", "density", "coverage")


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """Scores of drawn images, beside those that as many other real images get.

    They are taken on the features of `reference` and say nothing beside scores on other features: the Frechet distance
    here is not the FID of papers, which is taken on Inception's.

    Args:
        drawn: `frechet` and `kernel` (small is near), `precision`, `recall`, `density`, `coverage` of drawn images.
        floor: The same of real images that are not among the compared ones: what no generator need beat.
        reference: The classifier whose features are compared, such as `cnn-deep/mnist`.
        count: Number of drawn images, of real ones they are compared with, and of real ones for the floor.
        data: What the real images are of.
        seed: Seed of the draws.
    """

    drawn: Mapping[str, float]
    floor: Mapping[str, float]
    reference: str
    count: int
    data: str = ""
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values; each score is named with its features."""
        named = {f"{name} on {self.reference}": value for name, value in self.drawn.items()}
        floor = {f"{name} on {self.reference}": value for name, value in self.floor.items()}
        return {"drawn": named, "real_against_real": floor, "count": self.count, "data": self.data, "seed": self.seed}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        named = f" of {self.data}" if self.data else ""
        yield f"{self.count} drawn images against as many real ones{named}, seed {self.seed}"
        yield f"on the features of {self.reference} (not Inception's: no FID)"
        yield f"{'':<10}  {'drawn':>10}  {'real against real':>17}"
        for name in SCORES:
            yield f"{name:<10}  {self.drawn[name]:>10.4f}  {self.floor[name]:>17.4f}"


def fidelity(
    drawn: Model | Images,
    real: Images,
    *,
    reference: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
) -> Fidelity:
    """Compare drawn images with real ones on the features of a reference classifier.

    Args:
        drawn: A generator, or images that were drawn.
        real: Real images; two parts of them that have none in common are taken.
        reference: Trained weights of a classifier; `cnn-deep/NAME` for images of a data set NAME when left out.
        count: Images of each kind; 2,000, or as many as there are, when left out.
        seed: Seed of the generator's noise and of which images are taken.

    Raises:
        ConfigError: There is no reference for these images.
        PluginError: The reference has no features.
        ImageError: There are too few images.
    """
    name = _reference(real) if reference is None else str(reference)
    judge = load(name if reference is None else reference)
    num = _count(drawn, real, count)
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    parts = [real[order[:num]], real[order[num : 2 * num]]]
    compared, held, shown = (torch.from_numpy(judge.features(each)) for each in (*parts, _images(drawn, num, seed)))
    return Fidelity(
        drawn=_scores(compared, shown),
        floor=_scores(compared, held),
        reference=name,
        count=num,
        data=real.name,
        seed=seed,
    )


def _scores(real: Tensor, drawn: Tensor) -> dict[str, float]:
    return {"frechet": frechet(real, drawn), "kernel": kernel(real, drawn), **outlines(real, drawn)}


def _images(drawn: Model | Images, num: int, seed: int) -> Tensor:
    if isinstance(drawn, Images):
        pixels: Tensor = drawn.take(num, seed=seed).images
        return pixels
    return torch.from_numpy(drawn.predict(num, seed=seed))


def _count(drawn: Model | Images, real: Images, asked: int | None) -> int:
    """Return how many images of each kind are compared, checked."""
    there = min(len(real) // 2, len(drawn)) if isinstance(drawn, Images) else len(real) // 2
    num = min(COUNT, there) if asked is None else asked
    if not NEIGHBOURS < num <= there:
        raise ImageError(
            f"{num} images of each kind cannot be compared: there are {len(real)} real ones, of which two parts are "
            f"taken{f', and {len(drawn)} drawn ones' if isinstance(drawn, Images) else ''}; "
            f"at least {NEIGHBOURS + 1} of each kind are needed"
        )
    return num


def _reference(real: Images) -> str:
    name = f"cnn-deep/{real.name.partition('/')[0]}"
    if name not in shipped.folders():
        raise ConfigError(
            f"no reference classifier ships for images of {real.name or 'a set without a name'}; "
            f"give reference=, one of {listed(shipped.folders())} or one of your own"
        )
    return name


def accuracy_on_real(
    generator: Model,
    test: Images,
    *,
    classifier: str = "cnn-simple",
    count: int = 60_000,
    seed: int = 0,
    progress: bool = True,
    **changes: Any,
) -> Evaluation:
    """Train a classifier on drawn images alone and score it on real ones: the classification accuracy score.

    Ravuri and Vinyals 2019. It falls when a class is missing, wrongly labelled, or drawn in too few ways.

    Args:
        generator: A generator that knows classes.
        test: Real images that nothing was trained on.
        classifier: A name on `zoo.models`.
        count: Images to draw, the classes by turns.
        seed: Seed of noise, weights and order.
        progress: Show training on standard error.
        **changes: Fields of the classifier's recipe to change.
    """
    drawn = generator.draw(count, seed=seed)
    model = create(classifier, seed=seed, channels=drawn.channels, classes=len(drawn.classes), size=drawn.size)
    return model.fit(drawn, progress=progress, **changes).evaluate(test)
