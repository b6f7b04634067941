"""Scores equal those of scikit-learn and of direct resampling."""

import numpy as np
import pytest
import torch
from sklearn import metrics as reference

from zoo.metrics.classification import bootstrap_interval, evaluate_logits

NAMES = ("a", "b", "c", "d", "e", "f", "g")


@pytest.fixture(scope="module")
def scored():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 7, (800,), generator=generator)
    logits = torch.randn(800, 7, generator=generator) + 1.5 * torch.nn.functional.one_hot(labels, 7)
    return logits, labels, evaluate_logits(logits, labels, NAMES, k=3)


def test_accuracy_top_k_confusion_and_likelihood_equal_scikit_learn(scored):
    logits, labels, result = scored
    predicted, probabilities = logits.argmax(1), logits.double().softmax(1).numpy()
    assert result.accuracy == pytest.approx(reference.accuracy_score(labels, predicted))
    assert result.top_k == pytest.approx(reference.top_k_accuracy_score(labels, probabilities, k=3))
    assert result.nll == pytest.approx(reference.log_loss(labels, probabilities))
    assert np.array_equal(np.array(result.confusion), reference.confusion_matrix(labels, predicted))


def test_scores_by_class_equal_scikit_learn(scored):
    logits, labels, result = scored
    expected = reference.precision_recall_fscore_support(labels, logits.argmax(1))
    for score, precision, recall, f1, count in zip(result.per_class, *expected, strict=True):
        assert (score.precision, score.recall, score.f1) == pytest.approx((precision, recall, f1), rel=1e-5)
        assert score.count == count
    assert result.macro_f1 == pytest.approx(reference.f1_score(labels, logits.argmax(1), average="macro"), rel=1e-5)


def test_calibration_error_equals_its_definition(scored):
    logits, labels, result = scored
    confidence, predicted = logits.softmax(1).max(1)
    bins = (confidence * 15).ceil().long() - 1
    parts = [
        (bins == b).float().mean()
        * ((predicted == labels)[bins == b].float().mean() - confidence[bins == b].mean()).abs()
        for b in bins.unique()
    ]
    assert result.ece == pytest.approx(float(sum(parts)), abs=1e-5)


@pytest.mark.parametrize(("correct", "count"), [(900, 1000), (47, 100), (9, 10)])
def test_the_interval_is_that_of_many_resamples(correct, count):
    outcomes = np.arange(count) < correct
    accuracies = np.random.default_rng(0).choice(outcomes, (20_000, count)).mean(1)
    assert bootstrap_interval(correct, count) == pytest.approx(np.percentile(accuracies, [2.5, 97.5]), abs=1.5 / count)


@pytest.mark.parametrize(("correct", "low", "high"), [(0, 0.0, 0.0), (10, 1.0, 1.0)])
def test_the_interval_of_all_wrong_or_all_correct_is_a_point(correct, low, high):
    assert bootstrap_interval(correct, 10) == (low, high)


def test_a_class_without_images_does_not_break_the_table():
    result = evaluate_logits(torch.eye(3)[:2], torch.tensor([0, 1]), ("x", "y", "z"))
    assert result.per_class[2].count == 0
    assert "x" in str(result)


def test_the_most_frequent_mistakes_name_the_true_class_first():
    labels = torch.tensor([0, 0, 0, 1])
    logits = torch.nn.functional.one_hot(torch.tensor([1, 1, 0, 1]), 2).float()
    assert evaluate_logits(logits, labels, ("shirt", "coat")).mistakes() == [("shirt", "coat", 2)]
