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
from zoo.errors import ConfigError, ImageError, join_names
from zoo.metrics.classification import Evaluation
from zoo.metrics.generation import NUM_NEIGHBOURS, compute_prdc, frechet_distance, kernel_distance
from zoo.model import Model
from zoo.saving import bundled as shipped

DEFAULT_COUNT = 2000
SCORE_NAMES = ("frechet", "kernel", "precision", "recall", "density", "coverage")


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """Scores of drawn images, beside those that as many other real images get.

    They are taken on the features of `reference` and say nothing beside scores on other features: the Frechet distance
    here is not the FID of papers, which is taken on Inception's.

    Args:
        generated: `frechet` and `kernel` (small is near), `precision`, `recall`, `density`, `coverage` of drawn images.
        floor: The same of real images that are not among the compared ones: what no generator need beat.
        reference: The classifier whose features are compared, such as `cnn-deep/mnist`.
        count: Number of drawn images, of real ones they are compared with, and of real ones for the floor.
        data: What the real images are of.
        seed: Seed of the draws.
    """

    generated: Mapping[str, float]
    floor: Mapping[str, float]
    reference: str
    count: int
    data: str = ""
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values; each score is named with its features."""
        named = {f"{name} on {self.reference}": value for name, value in self.generated.items()}
        floor = {f"{name} on {self.reference}": value for name, value in self.floor.items()}
        return {"drawn": named, "real_against_real": floor, "count": self.count, "data": self.data, "seed": self.seed}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        named = f" of {self.data}" if self.data else ""
        yield f"{self.count} drawn images against as many real ones{named}, seed {self.seed}"
        yield f"on the features of {self.reference} (not Inception's: no FID)"
        yield f"{'':<10}  {'drawn':>10}  {'real against real':>17}"
        for name in SCORE_NAMES:
            yield f"{name:<10}  {self.generated[name]:>10.4f}  {self.floor[name]:>17.4f}"


def fidelity(
    generated: Model | Images,
    real: Images,
    *,
    reference: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
) -> Fidelity:
    """Compare drawn images with real ones on the features of a reference classifier.

    Args:
        generated: A generator, or images that were drawn.
        real: Real images; two parts of them that have none in common are taken.
        reference: Trained weights of a classifier; `cnn-deep/NAME` for images of a data set NAME when left out.
        count: Images of each kind; 2,000, or as many as there are, when left out.
        seed: Seed of the generator's noise and of which images are taken.

    Raises:
        ConfigError: There is no reference for these images.
        PluginError: The reference has no features.
        ImageError: There are too few images.
    """
    name = _find_reference(real) if reference is None else str(reference)
    judge = load(name if reference is None else reference)
    num = _resolve_count(generated, real, count)
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    parts = [real[order[:num]], real[order[num : 2 * num]]]
    compared, held, shown = (
        torch.from_numpy(judge.features(each)) for each in (*parts, _get_pixels(generated, num, seed))
    )
    return Fidelity(
        generated=_compute_scores(compared, shown),
        floor=_compute_scores(compared, held),
        reference=name,
        count=num,
        data=real.name,
        seed=seed,
    )


def _compute_scores(real: Tensor, generated: Tensor) -> dict[str, float]:
    return {
        "frechet": frechet_distance(real, generated),
        "kernel": kernel_distance(real, generated),
        **compute_prdc(real, generated),
    }


def _get_pixels(generated: Model | Images, num: int, seed: int) -> Tensor:
    if isinstance(generated, Images):
        pixels: Tensor = generated.take(num, seed=seed).images
        return pixels
    images: Tensor = generated.sample(num, seed=seed).images
    return images


def _resolve_count(generated: Model | Images, real: Images, count: int | None) -> int:
    """Return how many images of each kind are compared, checked."""
    there = min(len(real) // 2, len(generated)) if isinstance(generated, Images) else len(real) // 2
    num = min(DEFAULT_COUNT, there) if count is None else count
    if not NUM_NEIGHBOURS < num <= there:
        raise ImageError(
            f"{num} images of each kind cannot be compared: there are {len(real)} real ones, of which two parts are "
            f"taken{f', and {len(generated)} drawn ones' if isinstance(generated, Images) else ''}; "
            f"at least {NUM_NEIGHBOURS + 1} of each kind are needed"
        )
    return num


def _find_reference(real: Images) -> str:
    name = f"cnn-deep/{real.name.partition('/')[0]}"
    if name not in shipped.list_folders():
        raise ConfigError(
            f"no reference classifier ships for images of {real.name or 'a set without a name'}; "
            f"give reference=, one of {join_names(shipped.list_folders())} or one of your own"
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
    drawn = generator.sample(count, seed=seed)
    model = create(classifier, seed=seed, channels=drawn.channels, classes=len(drawn.classes), size=drawn.size)
    return model.fit(drawn, progress=progress, **changes).evaluate(test)
