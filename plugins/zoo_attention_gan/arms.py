"""Make the training sets of paper 3's classifiers: real images, generated ones, or both."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.data import Dataset, Images, mix
from zoo.errors import ConfigError
from zoo.seeding import derive_seed
from zoo_attention_gan.generators import CachedGenerator, get_default_generator

MAX_BATCH_SIZE = 128
"""Images are added until an epoch has twice as many batches of this size, and so of half this size."""
KINDS = ("original", "drawn", "half", "added")
NUM_QUICK = 128
"""Real images of a quick cell; with more the largest nets take minutes on a CPU."""
GENERATOR_SEED = 0
"""The seed of the one generator that cells of all seeds share; each cell samples different images from it."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A training set for classifiers; a row names one by its import string, and a cell calls it.

    The paper has three: `original` is the real images, `drawn` as many generated ones with the classes alternating, and
    `half` as many in all, half of each. `added` is not in the paper: all real images and at least as many generated
    ones, so many that an epoch has exactly twice the steps. The generator was trained on the training images only.

    Args:
        kind: One of these.
        generator: The generator of the images; the data set's default one if None.
    """

    kind: str
    generator: CachedGenerator | None = None

    def __post_init__(self) -> None:
        """Check the kind."""
        if self.kind not in KINDS:
            raise ConfigError(f"an arm is one of {', '.join(KINDS)}, not {self.kind!r}")

    def __call__(self, dataset: Dataset, *, seed: int, quick: bool) -> Images:
        """Return the images of one cell."""
        real = dataset.train.take(min(NUM_QUICK, len(dataset.train))) if quick else dataset.train
        if self.kind == "original":
            return real
        generator = self.generator or get_default_generator(dataset.name)
        model = generator.load_or_train(real, seed=GENERATOR_SEED, quick=quick)
        num = {"half": -(-len(real) // 2), "added": count_added(len(real))}.get(self.kind, len(real))
        generated = model.sample(num, seed=derive_seed(seed, "drawn"))
        if self.kind == "drawn":
            return generated
        if self.kind == "half":
            return mix(real, generated, fraction=0.5, seed=seed)
        return mix(real, generated, count=num, seed=seed)


def count_added(num: int) -> int:
    """Return how many images to add to `num` so that an epoch has exactly twice as many batches.

    >>> count_added(60_000), count_added(50_000)
    (60064, 50096)
    """
    return 2 * MAX_BATCH_SIZE * -(-num // MAX_BATCH_SIZE) - num


SPECTRAL = CachedGenerator(model="sn-gan-32x32")
ORIGINAL, DRAWN, HALF, ADDED = (Arm(kind=kind) for kind in KINDS)
DRAWN_BY_SPECTRAL, HALF_BY_SPECTRAL, ADDED_BY_SPECTRAL = (Arm(kind=kind, generator=SPECTRAL) for kind in KINDS[1:])
