"""Prepare images as paper 3 does before training."""

from __future__ import annotations

from zoo.data import Images
from zoo.data.combine import augment_once, center_crop


def prepare_as_in_paper_3(images: Images, *, seed: int = 0) -> Images:
    """Crop images to 28 x 28, rotate them at random and change their contrast (paper 3, section 1.2).

    The paper does not give the strengths. Here the rotation is up to 10 degrees and contrast changes by up to 0.2.
    """
    return augment_once(center_crop(images, 28), ("rotate:10", "contrast:0.2"), seed=seed)
