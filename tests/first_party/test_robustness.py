"""Warps go where they say, the D4 network bears quarter turns exactly, and the verdict follows its rule."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import zoo
from zoo.data.transforms import resize_images
from zoo.experiment import Cell
from zoo.experiment.ledger import pack_answers
from zoo_graph_encoders import robustness
from zoo_graph_encoders.robustness import CHANGES, get_strength_weights, scores, turned_training
from zoo_graph_encoders.verdict import bootstrap_difference, verdict
from zoo_graph_encoders.warps import perspective, rotation, scale, shear, warp_images

NONE = {"rotation": 0, "perspective": 0, "shear": 0, "scale": 1}


@pytest.fixture(scope="module")
def sets(bundled):
    """A few images of 28 x 28 with things in them that are not symmetric."""
    large = bundled.train[:60].resize(28)
    return zoo.Dataset(train=lambda: large[:40], test=lambda: large[40:], name="few")


def dot(row, column):
    image = torch.zeros(1, 1, 27, 27, dtype=torch.uint8)
    image[..., row - 1 : row + 2, column - 1 : column + 2] = 255
    return image


def centre(image):
    """Return (row, column) of the brightness."""
    places = torch.arange(27.0)
    whole = image.float().sum()
    return [round(float((image.float() * places.view(shape)).sum() / whole), 1) for shape in ((-1, 1), (1, -1))]


@pytest.mark.parametrize(
    ("change", "strength", "lands"),
    [
        (rotation, 90, (3, 13)),  # from the right to the top: against the clock
        (rotation, 180, (13, 3)),
        (scale, 0.5, (13, 18)),
        (scale, 1.2, (13, 25)),
        (shear, 45, (13, 23)),  # the middle row stays
    ],
)
def test_a_dot_right_of_the_centre_lands_where_the_change_says(change, strength, lands):
    moved = warp_images(dot(13, 23), change(strength, torch.zeros(1)), (27, 27))
    assert centre(moved) == pytest.approx(lands, abs=0.3)


def test_perspective_moves_each_image_in_a_direction_of_its_own():
    maps = perspective(0.5, torch.tensor([0.0, math.pi]))
    one, other = warp_images(dot(13, 20).repeat(2, 1, 1, 1), maps, (27, 27)).split(1)
    assert centre(one)[1] > 21
    assert centre(other)[1] < 19


@pytest.mark.parametrize("name", CHANGES)
def test_no_change_changes_nothing_but_the_size(name, sets):
    images = sets.test.images
    maps = CHANGES[name][0](NONE[name], torch.rand(len(images)))
    assert torch.equal(warp_images(images, maps, (7, 7)), resize_images(images, (7, 7), "sample"))


def test_a_network_with_the_symmetries_of_the_square_bears_quarter_turns_exactly(sets):
    found = scores(zoo.create("gcn-plus-7x7", seed=0), sets, seed=0, quick=False)
    assert found["rotation@0"] == found["rotation@90"] == found["rotation@180"]
    assert found["rotation right"].shape == (len(sets.test),)
    right, whole = found["rotation right"].double(), sum(get_strength_weights("rotation"))
    assert float(right.mean()) / whole == pytest.approx(found["rotation"])
    by_angle = [found[f"rotation@{degrees}"] for degrees in range(0, 181, 15)]
    assert found["rotation"] == pytest.approx(np.average(by_angle, weights=get_strength_weights("rotation")))


def test_the_turned_set_has_every_image_several_times_at_other_angles(sets):
    images = turned_training(sets, seed=1, quick=False)
    assert len(images) == robustness.NUM_COPIES * len(sets.train)
    first, second = images.images.view(robustness.NUM_COPIES, len(sets.train), 49)[:2]
    assert not torch.equal(first, second)
    assert torch.equal(images.labels[: len(sets.train)], sets.train.labels)
    assert turned_training(sets, seed=1, quick=False) is images


def test_a_difference_counts_images_in_pairs_and_seeds_together():
    draws = np.random.default_rng(1)
    hard = draws.random((1, 2000)) < 0.5  # the same images are hard for both
    theirs = np.repeat(hard, 3, 0).astype(float)
    ours = np.clip(theirs + (draws.random((3, 2000)) < 0.02), 0, 1)
    found = bootstrap_difference(ours, theirs)
    assert found.sign == 1
    assert found.low < found.mean < found.high < 0.03
    assert bootstrap_difference(theirs, theirs).sign == 0
    assert bootstrap_difference(theirs, ours).sign == -1


def cell(label, right):
    """Return a cell whose every image has so many strengths right, of each change."""
    answers = {
        f"{name} right": pack_answers(np.full(500, round(right * sum(get_strength_weights(name))))) for name in CHANGES
    }
    metrics = {f"{name}@{strength:g}": right for name, (_, strengths) in CHANGES.items() for strength in strengths}
    given = {"row": label, "seed": 0, "metrics": metrics, "history": [], "parameters": 1, "seconds": 1.0, "device": ""}
    return Cell(**given, versions={}, weights="", recipe={}, answers=answers)


@pytest.mark.parametrize(
    ("ours", "many", "accurate", "word"),
    [
        (0.75, 0.4, 0.4, "the claim holds"),
        (0.75, 0.4, 1.0, "the claim does not hold"),
        (0.75, 0.4, 0.75, "it is open"),
    ],
)
def test_the_verdict_is_that_of_the_rule(ours, many, accurate, word):
    rows = {"GCN+": ours, "CNN, as many weights": many, "CNN, as accurate": accurate}
    told = list(verdict([cell(f"upright: {label}", right) for label, right in rows.items()]))
    assert len(told) == len(CHANGES)
    assert all(f"**{word}**" in sentence for sentence in told)
    assert told[2].endswith(f"At {'every' if word == 'the claim holds' else 'no'} strength it is ahead of both.")


def test_what_one_of_the_two_has_not_run_is_not_compared():
    assert list(verdict([cell("upright: GCN+", 1.0)])) == []
    both = [cell("turned: GCN of paper 1", 0.2), cell("turned: CNN of 421,642 weights", 0.5)]
    assert len(list(verdict(both))) == 1
    assert list(verdict([both[0], replace(both[1], seed=1)])) == []
