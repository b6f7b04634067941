"""Shirts and T-shirts: shares of the confusion, and a verdict that knows its error."""

import pytest

import zoo
from zoo.experiment import Cell
from zoo_cnn.pairs import shirts, verdict


def test_the_shares_are_those_of_the_confusion(bundled):
    sets = zoo.Dataset(train=lambda: bundled.train, test=lambda: bundled.test[:1000], name="few")
    model = zoo.load("cnn-7x7/fashion-mnist")
    found = shirts(model, sets, seed=0, quick=False)
    names = sets.test.classes.names
    answers = [names[k] for k in model.predict(sets.test)]
    of_shirts = [taken for taken, k in zip(answers, sets.test.labels.tolist(), strict=True) if names[k] == "Shirt"]
    assert found["shirts as T-shirts"] == pytest.approx(of_shirts.count("T-shirt/top") / len(of_shirts))
    assert found["shirt recall"] == pytest.approx(of_shirts.count("Shirt") / len(of_shirts))
    assert 0 < found["shirts as T-shirts"] < found["shirt recall"]


def cell(row, seed, accuracy, shirt):
    metrics = {"accuracy": accuracy, "shirts as T-shirts": shirt, "T-shirts as shirts": 0.1}
    given = {"row": row, "seed": seed, "metrics": metrics, "history": [], "parameters": 1, "seconds": 1.0}
    return Cell(**given, device="", versions={}, weights="", recipe={})


def test_a_difference_is_told_as_better_only_beyond_its_error():
    cells = [cell("as it is", k, 0.90 + k / 1000, 0.2) for k in range(3)]
    cells += [cell("mirrored", k, 0.92 + k / 1000, 0.3) for k in range(3)]
    (told,) = verdict(cells)
    assert told.startswith("mirrored: accuracy +2.00 points ± 0.16 (better); shirts as T-shirts +10.00 points")
    assert "(worse)" in told
    assert told.endswith("T-shirts as shirts +0.00 points ± 0.00 (no difference that these seeds show).")


def test_one_seed_says_nothing():
    assert list(verdict([cell("as it is", 0, 0.9, 0.2), cell("mirrored", 0, 0.95, 0.1)])) == []
