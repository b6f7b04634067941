"""Scores of generated images come with those of real images, and name their features."""

import pytest
import torch

import zoo
from zoo.errors import ConfigError, ImageError
from zoo.fidelity import accuracy_on_real, fidelity

REFERENCE = "cnn-7x7/fashion-mnist"


def test_other_real_images_score_as_the_floor_does(bundled):
    real, others = bundled.test[:1200], bundled.test[1200:1800]
    scores = fidelity(others, real, reference=REFERENCE, count=600)
    assert scores.count == 600
    assert scores.generated["frechet"] < 2 * scores.floor["frechet"]
    assert scores.generated["coverage"] > 0.8


def test_noise_is_far_from_real_images_and_covers_none(bundled):
    real = bundled.test[:400]
    noise = zoo.Images(torch.randint(0, 256, (200, 1, 7, 7), dtype=torch.uint8), torch.zeros(200, dtype=torch.int64))
    scores = fidelity(noise, real, reference=REFERENCE)
    assert scores.generated["frechet"] > 5 * scores.floor["frechet"]
    assert scores.generated["coverage"] < 0.5 * scores.floor["coverage"]
    assert scores.generated["kernel"] > 10 * abs(scores.floor["kernel"])


def test_one_class_alone_is_precise_and_covers_little(bundled):
    real = bundled.test[:1000]
    boots = bundled.train[bundled.train.labels == 9].take(500, seed=0)
    scores = fidelity(boots, real, reference=REFERENCE)
    assert scores.generated["precision"] > 0.8
    assert scores.generated["recall"] < 0.3


def test_the_scores_name_their_features_so_that_nobody_takes_them_for_fid(bundled):
    scores = fidelity(bundled.test[:40], bundled.test[40:140], reference=REFERENCE)
    assert set(scores.to_json()["drawn"]) == {f"{name} on {REFERENCE}" for name in scores.generated}
    assert "not the FID" in str(scores)
    assert f"features of {REFERENCE}" in str(scores)
    assert "real against real" in str(scores)


def test_without_a_bundled_reference_the_error_names_those_that_ship(bundled):
    with pytest.raises(ConfigError, match="no reference classifier ships for images of fashion-mnist-7x7/test"):
        fidelity(bundled.test[:40], bundled.test[40:140])


def test_too_few_images_are_refused(bundled):
    with pytest.raises(ImageError, match="at least 6 of each kind are needed"):
        fidelity(bundled.test[:3], bundled.test[40:140], reference=REFERENCE)


def test_a_generator_is_compared_by_its_samples(bundled):
    model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4)
    scores = fidelity(model, bundled.test[:200], reference=REFERENCE)
    assert scores.generated["frechet"] > 5 * scores.floor["frechet"]


class Copyist:
    """A generator whose samples are real images."""

    def __init__(self, images):
        self.images = images

    def sample(self, count, *, seed):
        return self.images.take(count, seed=seed)


def test_the_accuracy_score_of_real_images_is_that_of_a_classifier_and_of_wrong_labels_chance(bundled):
    real = bundled.train.take(2000, seed=0)
    wrong = zoo.Images(real.images, real.labels.roll(1), real.classes)
    scores = [
        accuracy_on_real(Copyist(each), bundled.test[:500], classifier="cnn-7x7", count=2000, progress=False, epochs=2)
        for each in (real, wrong)
    ]
    assert scores[0].accuracy > 0.6
    assert scores[1].accuracy < 0.3
