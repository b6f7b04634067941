"""Shirts and T-shirts: shares of the confusion matrix, and a verdict with its standard error."""

import pytest

import zoo
from zoo.experiment import Cell
from zoo_cnn.pairs import shirts, verdict


def test_the_shares_come_from_the_confusion_matrix(bundled):
    dataset = zoo.Dataset(train=lambda: bundled.train, test=lambda: bundled.test[:1000], name="few")
    model = zoo.load("cnn-7x7/fashion-mnist")
    metrics = shirts(model, dataset, seed=0, quick=False)
    names = dataset.test.classes.names
    predictions = [names[k] for k in model.predict(dataset.test)]
    of_shirts = [name for name, k in zip(predictions, dataset.test.labels.tolist(), strict=True) if names[k] == "Shirt"]
    assert metrics["shirts as T-shirts"] == pytest.approx(of_shirts.count("T-shirt/top") / len(of_shirts))
    assert metrics["shirt recall"] == pytest.approx(of_shirts.count("Shirt") / len(of_shirts))
    assert 0 < metrics["shirts as T-shirts"] < metrics["shirt recall"]


def make_cell(row, seed, accuracy, shirt):
    metrics = {"accuracy": accuracy, "shirts as T-shirts": shirt, "T-shirts as shirts": 0.1}
    fields = {"row": row, "seed": seed, "metrics": metrics, "history": [], "parameters": 1, "seconds": 1.0}
    return Cell(**fields, device="", versions={}, weights="", recipe={})


def test_a_difference_is_better_only_beyond_its_error():
    cells = [make_cell("as it is", k, 0.90 + k / 1000, 0.2) for k in range(3)]
    cells += [make_cell("mirrored", k, 0.92 + k / 1000, 0.3) for k in range(3)]
    (sentence,) = verdict(cells)
    assert sentence.startswith("mirrored: accuracy +2.00 points ± 0.16 (better); shirts as T-shirts +10.00 points")
    assert "(worse)" in sentence
    assert sentence.endswith("T-shirts as shirts +0.00 points ± 0.00 (no clear difference).")


def test_one_seed_gives_no_verdict():
    assert list(verdict([make_cell("as it is", 0, 0.9, 0.2), make_cell("mirrored", 0, 0.95, 0.1)])) == []
