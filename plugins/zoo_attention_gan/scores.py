"""How good the images of a generator are, as the metrics of a row."""

from __future__ import annotations

from typing import Any

from zoo import Model, load
from zoo.data import Dataset
from zoo.fidelity import accuracy_on_real, fidelity

CLASSIFIER_OPTIONS: dict[str, Any] = {"recipe": "adam", "epochs": 5}
"""How the classifier of the accuracy score is trained: plainly, without augmentation."""
COUNT, QUICK_COUNT = 60_000, 640


def drawn(model: Model, dataset: Dataset, *, seed: int, quick: bool) -> dict[str, float]:
    """Return a generator's scores on digits or clothes.

    `accuracy_score` is that of `cnn-simple`, trained on 60,000 drawn images, on the real test images (Ravuri and
    Vinyals 2019); `agreement` how many of 2,000 drawn images the reference `cnn-deep` takes for the class that was
    asked for; the others compare those features of as many drawn and real images, `floor` real ones with real ones.
    """
    count = QUICK_COUNT if quick else COUNT
    score = accuracy_on_real(model, dataset.test, count=count, seed=seed, progress=False, **CLASSIFIER_OPTIONS)
    compared = fidelity(model, dataset.test, seed=seed)
    agreed = load(compared.reference).evaluate(model.sample(2000, seed=seed)).accuracy
    return {
        "accuracy_score": score.accuracy,
        "agreement": agreed,
        **{name: float(compared.generated[name]) for name in ("frechet", "precision", "recall", "density", "coverage")},
        "frechet_floor": float(compared.floor["frechet"]),
    }
