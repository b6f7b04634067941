"""Small data: a few real images, as they are or with drawn ones beside them, in sets of one size."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from zoo.data import Dataset, Images, mix
from zoo.errors import ConfigError
from zoo.seeding import derived_seed, generator
from zoo_attention_gan.drawers import Drawer

SIZE = 12_800
"""Images in every set, real ones repeated: 200 steps of 64 an epoch, whatever is known."""
QUICK_SIZE = 640
KINDS = ("real", "drawn", "both")
DRAWER = Drawer(
    model="attention-gan-28x28",
    changes={"epochs": 4, "augment": ("shift:2",), "ema": 0.99, "precision": "bf16"},
)
"""Trained on the known images alone, repeated to `SIZE`: 800 steps."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Makes the images that a classifier is trained on where few labelled ones are known; all sets are of one size.

    Args:
        known: How many real images are known: as many of each class, or one more, drawn by the cell's seed.
        kind: `real`, `drawn`, or `both`, half and half. What draws has seen the known images and no others.
    """

    known: int
    kind: str

    def __post_init__(self) -> None:
        """Check the kind."""
        if self.kind not in KINDS:
            raise ConfigError(f"a budget is spent on one of {', '.join(KINDS)}, not {self.kind!r}")

    def __call__(self, sets: Dataset, *, seed: int, quick: bool) -> Images:
        """Return the images of one cell."""
        known, size = few(sets.train, self.known, seed), QUICK_SIZE if quick else SIZE
        if self.kind == "real":
            return repeated(known, size)
        drawn = DRAWER.ready(repeated(known, size), seed=seed, quick=quick)
        if self.kind == "drawn":
            return drawn.draw(size, seed=derived_seed(seed, "drawn"))
        half = size // 2
        others = drawn.draw(half, seed=derived_seed(seed, "drawn"))
        return mix(repeated(known, half), others, count=half, seed=seed)


def few(images: Images, num: int, seed: int) -> Images:
    """Return `num` images drawn by a seed, as many of each class as there are, or one more of some."""
    order = torch.randperm(len(images), generator=generator(seed, "known"))
    labels = images.labels[order]
    rank = torch.empty_like(labels)
    for k in range(len(images.classes)):
        rank[labels == k] = torch.arange(int((labels == k).sum()))
    return images[order[rank.argsort(stable=True)[:num]]]


def repeated(images: Images, size: int) -> Images:
    """Return `size` images: each as often as the others, or once more."""
    return images[torch.arange(size) % len(images)]


(REAL_100, DRAWN_100, BOTH_100), (REAL_500, DRAWN_500, BOTH_500), (REAL_1000, DRAWN_1000, BOTH_1000) = (
    tuple(Budget(known=known, kind=kind) for kind in KINDS) for known in (100, 500, 1000)
)
