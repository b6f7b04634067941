"""What the classifiers of paper 3 are trained on: real images, drawn ones, or both."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.data import Dataset, Images, mix
from zoo.errors import ConfigError
from zoo.seeding import derive_seed
from zoo_attention_gan.generators import CachedGenerator, get_default_generator

MAX_BATCH_SIZE = 128
"""Images are added until an epoch has twice as many batches of this size, and so of half of it."""
KINDS = ("original", "drawn", "half", "added")
NUM_QUICK = 128
"""Real images of a quick cell: the largest nets take minutes on a CPU with more."""
GENERATOR_SEED = 0
"""One generator draws for the cells of all seeds; each draws other images."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Makes the images that a classifier is trained on; a row names one by its import string.

    `original` are the real images, `drawn` as many drawn ones, the classes by turns, and `half` as many in all, half of
    each: the paper's three. `added` is what the paper left out: all real images and at least as many drawn ones, so
    many that an epoch has just twice the steps. What draws has seen the training images and no others.

    Args:
        kind: One of these.
        generator: What draws; the data set's usual one when left out.
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
        model = (self.generator or get_default_generator(dataset.name)).load_or_train(
            real, seed=GENERATOR_SEED, quick=quick
        )
        num = {"half": -(-len(real) // 2), "added": count_added(len(real))}.get(self.kind, len(real))
        drawn = model.sample(num, seed=derive_seed(seed, "drawn"))
        if self.kind == "drawn":
            return drawn
        return mix(real, drawn, **({"count": num} if self.kind == "added" else {"share": 0.5}), seed=seed)


def count_added(num: int) -> int:
    """Return how many images to add to `num` so that an epoch has exactly twice as many batches.

    >>> added(60_000), added(50_000)
    (60064, 50096)
    """
    return 2 * MAX_BATCH_SIZE * -(-num // MAX_BATCH_SIZE) - num


SPECTRAL = CachedGenerator(model="sn-gan-32x32")
ORIGINAL, DRAWN, HALF, ADDED = (Arm(kind=kind) for kind in KINDS)
DRAWN_BY_SPECTRAL, HALF_BY_SPECTRAL, ADDED_BY_SPECTRAL = (Arm(kind=kind, generator=SPECTRAL) for kind in KINDS[1:])
