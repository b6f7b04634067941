"""Compare generated images with real ones, by distances between the features of a classifier that ships with zoo."""

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
from zoo.saving.bundled import list_folders

DEFAULT_COUNT = 2000
SCORE_NAMES = ("frechet", "kernel", "precision", "recall", "density", "coverage")


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """Scores of generated images, beside the scores of as many other real images.

    Scores depend on the features of `reference`, and cannot be compared with scores on other features: the Frechet
    distance here is not the FID of papers, which uses the features of Inception.

    Args:
        generated: `frechet` and `kernel` (lower is better), `precision`, `recall`, `density` and `coverage` of the
            generated images.
        floor: The same scores of other real images: a generator need not be better.
        reference: The classifier that computes the features, such as `cnn-deep/mnist`.
        count: Number of generated images, of real images they are compared with, and of real images for `floor`.
        data: Name of the real images.
        seed: Seed of the random choices.
    """

    generated: Mapping[str, float]
    floor: Mapping[str, float]
    reference: str
    count: int
    data: str = ""
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values; the name of each score includes the reference."""
        generated = {f"{name} on {self.reference}": value for name, value in self.generated.items()}
        floor = {f"{name} on {self.reference}": value for name, value in self.floor.items()}
        scores = {"drawn": generated, "real_against_real": floor}
        return {**scores, "count": self.count, "data": self.data, "seed": self.seed}

    def __str__(self) -> str:
        return "\n".join(self._iter_lines())

    def _iter_lines(self) -> Iterator[str]:
        data = f" of {self.data}" if self.data else ""
        yield f"{self.count} generated images against as many real images{data}, seed {self.seed}"
        yield f"on the features of {self.reference} (not the FID, which uses Inception's)"
        yield f"{'':<10}  {'generated':>10}  {'real against real':>17}"
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
    """Compare generated images with real ones on the features of a reference classifier.

    Args:
        generated: A generator, or images that it generated.
        real: Real images; two disjoint parts of them are used.
        reference: Trained weights of a classifier; by default `cnn-deep/NAME` for images of the data set NAME.
        count: Images of each kind; by default 2,000, or as many as there are.
        seed: Seed of the generator's noise and of the choice of images.

    Raises:
        ConfigError: No reference classifier ships for these images.
        PluginError: The reference has no features.
        ImageError: There are too few images.
    """
    name = _find_reference(real) if reference is None else str(reference)
    judge = load(name if reference is None else reference)
    num = _resolve_count(generated, real, count)
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    image_sets = real[order[:num]], real[order[num : 2 * num]], _get_pixels(generated, num, seed)
    real_features, floor_features, features = (torch.from_numpy(judge.features(each)) for each in image_sets)
    return Fidelity(
        generated=_compute_scores(real_features, features),
        floor=_compute_scores(real_features, floor_features),
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
    images = generated.take(num, seed=seed) if isinstance(generated, Images) else generated.sample(num, seed=seed)
    pixels: Tensor = images.images
    return pixels


def _resolve_count(generated: Model | Images, real: Images, count: int | None) -> int:
    """Return the number of images of each kind, and check that there are enough."""
    available = min(len(real) // 2, len(generated)) if isinstance(generated, Images) else len(real) // 2
    num = min(DEFAULT_COUNT, available) if count is None else count
    if not NUM_NEIGHBOURS < num <= available:
        also = f", and {len(generated)} generated ones" if isinstance(generated, Images) else ""
        raise ImageError(
            f"{num} images of each kind cannot be compared: there are {len(real)} real images, of which two disjoint "
            f"parts are used{also}; at least {NUM_NEIGHBOURS + 1} of each kind are needed"
        )
    return num


def _find_reference(real: Images) -> str:
    name = f"cnn-deep/{real.name.partition('/')[0]}"
    if name not in list_folders():
        raise ConfigError(
            f"no reference classifier ships for images of {real.name or 'a set without a name'}; "
            f"pass reference=, one of {join_names(list_folders())} or one of your own"
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
    """Train a classifier on generated images only and evaluate it on real ones: the classification accuracy score.

    Ravuri and Vinyals 2019. The score is low if a class is missing, wrongly labelled, or generated with too little
    variety.

    Args:
        generator: A generator with classes.
        test: Real images that neither model was trained on.
        classifier: A name in `zoo.models`.
        count: Number of images to generate, the same for each class.
        seed: Seed of noise, weights and order.
        progress: Show the progress of training on standard error.
        **changes: Fields of the classifier's recipe to change.
    """
    generated = generator.sample(count, seed=seed)
    shape: dict[str, Any] = {"channels": generated.channels, "classes": len(generated.classes), "size": generated.size}
    model = create(classifier, seed=seed, **shape)
    return model.fit(generated, progress=progress, **changes).evaluate(test)
