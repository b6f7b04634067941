"""Scores of drawn images stand beside those of real ones, and say on which features they were taken."""

import pytest
import torch

import zoo
from zoo.errors import ConfigError, ImageError
from zoo.fidelity import accuracy_on_real, fidelity

REFERENCE = "cnn-7x7/fashion-mnist"


def test_real_images_given_as_drawn_score_as_the_floor_does(bundled):
    real, others = bundled.test[:1200], bundled.test[1200:1800]
    found = fidelity(others, real, reference=REFERENCE, count=600)
    assert found.count == 600
    assert found.generated["frechet"] < 2 * found.floor["frechet"]
    assert found.generated["coverage"] > 0.8


def test_noise_is_far_from_real_images_and_covers_none(bundled):
    real = bundled.test[:400]
    noise = zoo.Images(torch.randint(0, 256, (200, 1, 7, 7), dtype=torch.uint8), torch.zeros(200, dtype=torch.int64))
    found = fidelity(noise, real, reference=REFERENCE)
    assert found.generated["frechet"] > 5 * found.floor["frechet"]
    assert found.generated["coverage"] < 0.5 * found.floor["coverage"]
    assert found.generated["kernel"] > 10 * abs(found.floor["kernel"])


def test_one_class_alone_is_precise_and_covers_little(bundled):
    real = bundled.test[:1000]
    boots = bundled.train[bundled.train.labels == 9].take(500, seed=0)
    found = fidelity(boots, real, reference=REFERENCE)
    assert found.generated["precision"] > 0.8
    assert found.generated["recall"] < 0.3


def test_the_scores_name_their_features_so_that_nobody_takes_them_for_fid(bundled):
    found = fidelity(bundled.test[:40], bundled.test[40:140], reference=REFERENCE)
    assert set(found.to_json()["drawn"]) == {f"{name} on {REFERENCE}" for name in found.generated}
    assert "no FID" in str(found)
    assert f"features of {REFERENCE}" in str(found)
    assert "real against real" in str(found)


def test_without_a_reference_that_ships_the_error_names_those_that_do(bundled):
    with pytest.raises(ConfigError, match="no reference classifier ships for images of fashion-mnist-7x7/test"):
        fidelity(bundled.test[:40], bundled.test[40:140])


def test_too_few_images_are_refused(bundled):
    with pytest.raises(ImageError, match="at least 6 of each kind are needed"):
        fidelity(bundled.test[:3], bundled.test[40:140], reference=REFERENCE)


def test_a_generator_is_compared_by_the_images_it_draws(bundled):
    model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4)
    found = fidelity(model, bundled.test[:200], reference=REFERENCE)
    assert found.generated["frechet"] > 5 * found.floor["frechet"]


class Copyist:
    """Stands for a generator whose drawn images are real ones."""

    def __init__(self, images):
        self.images = images

    def draw(self, asked, *, seed):
        return self.images.take(asked, seed=seed)


def test_the_accuracy_score_of_real_images_is_that_of_a_classifier_and_of_wrong_labels_chance(bundled):
    real = bundled.train.take(2000, seed=0)
    wrong = zoo.Images(real.images, real.labels.roll(1), real.classes)
    scores = [
        accuracy_on_real(Copyist(each), bundled.test[:500], classifier="cnn-7x7", count=2000, progress=False, epochs=2)
        for each in (real, wrong)
    ]
    assert scores[0].accuracy > 0.6
    assert scores[1].accuracy < 0.3
