"""Make training sets from few labelled images: real ones, generated ones, or both, in sets of equal size."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from zoo.data import Dataset, Images, mix
from zoo.errors import ConfigError
from zoo.seeding import derive_seed, make_generator
from zoo_attention_gan.generators import CachedGenerator

NUM_IMAGES = 12_800
"""Images of every set, with real ones repeated: 200 steps of 64 per epoch for every budget."""
NUM_QUICK = 640
KINDS = ("real", "drawn", "both")
GENERATOR = CachedGenerator(
    model="attention-gan-28x28",
    changes={"epochs": 4, "augment": ("shift:2",), "ema": 0.99, "precision": "bf16"},
)
"""The generator; it is trained on the known images only, repeated to `NUM_IMAGES`, for 800 steps."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A training set for classifiers when only few labelled images are known; all sets have the same size.

    Args:
        num_known: Number of real images that are known. The cell's seed chooses them, equally many of each class or
            one more.
        kind: `real`, `drawn` (generated), or `both`, half of each. The generator was trained on the known images only.
    """

    num_known: int
    kind: str

    def __post_init__(self) -> None:
        """Check the kind."""
        if self.kind not in KINDS:
            raise ConfigError(f"the kind of a budget is one of {', '.join(KINDS)}, not {self.kind!r}")

    def __call__(self, dataset: Dataset, *, seed: int, quick: bool) -> Images:
        """Return the images of one cell."""
        known, size = take_balanced(dataset.train, self.num_known, seed), NUM_QUICK if quick else NUM_IMAGES
        if self.kind == "real":
            return repeat_images(known, size)
        generator = GENERATOR.load_or_train(repeat_images(known, size), seed=seed, quick=quick)
        if self.kind == "drawn":
            return generator.sample(size, seed=derive_seed(seed, "drawn"))
        half = size // 2
        generated = generator.sample(half, seed=derive_seed(seed, "drawn"))
        return mix(repeat_images(known, half), generated, count=half, seed=seed)


def take_balanced(images: Images, num: int, seed: int) -> Images:
    """Return `num` images chosen by a seed, equally many of each class, or one more of some."""
    order = torch.randperm(len(images), generator=make_generator(seed, "known"))
    labels = images.labels[order]
    rank = torch.empty_like(labels)
    for k in range(len(images.classes)):
        rank[labels == k] = torch.arange(int((labels == k).sum()))
    return images[order[rank.argsort(stable=True)[:num]]]


def repeat_images(images: Images, size: int) -> Images:
    """Return `size` images: each one equally often, or once more."""
    return images[torch.arange(size) % len(images)]


(REAL_100, DRAWN_100, BOTH_100), (REAL_500, DRAWN_500, BOTH_500), (REAL_1000, DRAWN_1000, BOTH_1000) = (
    tuple(Budget(num_known=known, kind=kind) for kind in KINDS) for known in (100, 500, 1000)
)
