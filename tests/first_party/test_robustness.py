"""Warps move points as declared, the D4 network is exactly invariant, and the verdict follows its rule."""

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

IDENTITY = {"rotation": 0, "perspective": 0, "shear": 0, "scale": 1}


@pytest.fixture(scope="module")
def dataset(bundled):
    """Return a few images of 28 x 28 pixels without symmetries."""
    large = bundled.train[:60].resize(28)
    return zoo.Dataset(train=lambda: large[:40], test=lambda: large[40:], name="few")


def make_dot(row, column):
    image = torch.zeros(1, 1, 27, 27, dtype=torch.uint8)
    image[..., row - 1 : row + 2, column - 1 : column + 2] = 255
    return image


def find_centre(image):
    """Return (row, column) of the centre of brightness."""
    indices = torch.arange(27.0)
    total = image.float().sum()
    return [round(float((image.float() * indices.view(shape)).sum() / total), 1) for shape in ((-1, 1), (1, -1))]


@pytest.mark.parametrize(
    ("change", "strength", "expected"),
    [
        (rotation, 90, (3, 13)),  # from the right to the top: counterclockwise
        (rotation, 180, (13, 3)),
        (scale, 0.5, (13, 18)),
        (scale, 1.2, (13, 25)),
        (shear, 45, (13, 23)),  # the middle row does not move
    ],
)
def test_a_dot_right_of_the_centre_moves_as_declared(change, strength, expected):
    moved = warp_images(make_dot(13, 23), change(strength, torch.zeros(1)), (27, 27))
    assert find_centre(moved) == pytest.approx(expected, abs=0.3)


def test_perspective_moves_each_image_in_its_own_direction():
    maps = perspective(0.5, torch.tensor([0.0, math.pi]))
    one, other = warp_images(make_dot(13, 20).repeat(2, 1, 1, 1), maps, (27, 27)).split(1)
    assert find_centre(one)[1] > 21
    assert find_centre(other)[1] < 19


@pytest.mark.parametrize("name", CHANGES)
def test_the_identity_changes_only_the_size(name, dataset):
    images = dataset.test.images
    maps = CHANGES[name][0](IDENTITY[name], torch.rand(len(images)))
    assert torch.equal(warp_images(images, maps, (7, 7)), resize_images(images, (7, 7), "sample"))


def test_a_network_with_the_symmetries_of_the_square_is_exact_under_quarter_turns(dataset):
    metrics = scores(zoo.create("gcn-plus-7x7", seed=0), dataset, seed=0, quick=False)
    assert metrics["rotation@0"] == metrics["rotation@90"] == metrics["rotation@180"]
    assert metrics["rotation right"].shape == (len(dataset.test),)
    right, total = metrics["rotation right"].double(), sum(get_strength_weights("rotation"))
    assert float(right.mean()) / total == pytest.approx(metrics["rotation"])
    by_angle = [metrics[f"rotation@{degrees}"] for degrees in range(0, 181, 15)]
    assert metrics["rotation"] == pytest.approx(np.average(by_angle, weights=get_strength_weights("rotation")))


def test_the_turned_set_has_several_copies_of_each_image_at_different_angles(dataset):
    images = turned_training(dataset, seed=1, quick=False)
    assert len(images) == robustness.NUM_COPIES * len(dataset.train)
    first, second = images.images.view(robustness.NUM_COPIES, len(dataset.train), 49)[:2]
    assert not torch.equal(first, second)
    assert torch.equal(images.labels[: len(dataset.train)], dataset.train.labels)
    assert turned_training(dataset, seed=1, quick=False) is images


def test_a_difference_is_paired_over_images_and_seeds():
    generator = np.random.default_rng(1)
    hard = generator.random((1, 2000)) < 0.5  # the same images are hard for both
    baseline = np.repeat(hard, 3, 0).astype(float)
    better = np.clip(baseline + (generator.random((3, 2000)) < 0.02), 0, 1)
    difference = bootstrap_difference(better, baseline)
    assert difference.sign == 1
    assert difference.low < difference.mean < difference.high < 0.03
    assert bootstrap_difference(baseline, baseline).sign == 0
    assert bootstrap_difference(baseline, better).sign == -1


def make_cell(label, right):
    """Return a cell in which each image is predicted correctly at a share `right` of each change's strengths."""
    answers = {
        f"{name} right": pack_answers(np.full(500, round(right * sum(get_strength_weights(name))))) for name in CHANGES
    }
    metrics = {f"{name}@{strength:g}": right for name, (_, strengths) in CHANGES.items() for strength in strengths}
    fields = {"row": label, "seed": 0, "metrics": metrics, "history": [], "parameters": 1, "seconds": 1.0, "device": ""}
    return Cell(**fields, versions={}, weights="", recipe={}, answers=answers)


@pytest.mark.parametrize(
    ("graph", "many_weights", "accurate", "word"),
    [
        (0.75, 0.4, 0.4, "the claim holds"),
        (0.75, 0.4, 1.0, "the claim does not hold"),
        (0.75, 0.4, 0.75, "it is open"),
    ],
)
def test_the_verdict_follows_the_rule(graph, many_weights, accurate, word):
    rows = {"GCN+": graph, "CNN, as many weights": many_weights, "CNN, as accurate": accurate}
    sentences = list(verdict([make_cell(f"upright: {label}", right) for label, right in rows.items()]))
    assert len(sentences) == len(CHANGES)
    assert all(f"**{word}**" in sentence for sentence in sentences)
    assert sentences[2].endswith(f"At {'every' if word == 'the claim holds' else 'no'} strength it is ahead of both.")


def test_rows_without_a_common_seed_are_not_compared():
    assert list(verdict([make_cell("upright: GCN+", 1.0)])) == []
    pair = [make_cell("turned: GCN of paper 1", 0.2), make_cell("turned: CNN of 421,642 weights", 0.5)]
    assert len(list(verdict(pair))) == 1
    assert list(verdict([pair[0], replace(pair[1], seed=1)])) == []
