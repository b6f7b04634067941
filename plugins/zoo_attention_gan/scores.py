"""Score the images of a generator, as the metrics of a row."""

from __future__ import annotations

from typing import Any

from zoo import Model, load
from zoo.data import Dataset
from zoo.fidelity import accuracy_on_real, fidelity

CLASSIFIER_OPTIONS: dict[str, Any] = {"recipe": "adam", "epochs": 5}
"""Options of `fit` for the classifier of the accuracy score; there is no augmentation."""
COUNT, QUICK_COUNT = 60_000, 640


def drawn(model: Model, dataset: Dataset, *, seed: int, quick: bool) -> dict[str, float]:
    """Return a generator's scores on digits or clothes.

    `accuracy_score` is the accuracy of `cnn-simple` on the real test images after training on 60,000 generated images
    (Ravuri and Vinyals 2019). `agreement` is the share of 2,000 generated images that the reference `cnn-deep` assigns
    to the requested class. The other scores compare features of that reference for equally many generated and real
    images, and `frechet_floor` real images with real images.
    """
    count = QUICK_COUNT if quick else COUNT
    accuracy = accuracy_on_real(model, dataset.test, count=count, seed=seed, progress=False, **CLASSIFIER_OPTIONS)
    compared = fidelity(model, dataset.test, seed=seed)
    agreement = load(compared.reference).evaluate(model.sample(2000, seed=seed)).accuracy
    return {
        "accuracy_score": accuracy.accuracy,
        "agreement": agreement,
        **{name: float(compared.generated[name]) for name in ("frechet", "precision", "recall", "density", "coverage")},
        "frechet_floor": float(compared.floor["frechet"]),
    }
