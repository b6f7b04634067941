"""Scores stored with a model: with their protocol, for the present weights only."""

import numpy as np
import pytest

import zoo
from zoo.data import ExternalLoader


@pytest.fixture
def model():
    return zoo.load("gcn-7x7/mnist")


def test_a_stored_score_is_saved_with_its_protocol(model, small, tmp_path):
    result = model.evaluate(small, store=True)
    reloaded = zoo.load(model.save(tmp_path / "m"))
    score = next(each for each in reloaded.scores if each.data == small.name)
    assert score.metrics["accuracy"] == result.accuracy
    assert (score.count, score.fingerprint) == (len(small), small.with_classes(model.classes).fingerprint())
    assert score.protocol["images"] == "1 x 7 x 7"
    assert f"| {small.name} | {len(small)} |" in (tmp_path / "m" / "README.md").read_text()


def test_a_score_that_is_not_stored_does_not_change_the_model(model, small):
    before = model.scores
    model.evaluate(small)
    assert model.scores == before


def test_storing_a_score_again_replaces_it(model, small):
    for _ in range(2):
        model.evaluate(small, store=True)
    assert [score.data for score in model.scores].count(small.name) == 1


def test_a_resize_is_part_of_the_protocol(model):
    large = zoo.dataset("fashion-mnist-7x7").test.take(20).resize(28)
    model.evaluate(large, store=True)
    assert model.scores[-1].protocol["images"] == "1 x 28 x 28 brought to 1 x 7 x 7 (sample)"


def test_an_external_loader_has_a_score_too(model, small):
    batches = [(small.images[:50].numpy().astype(np.uint8), small.labels[:50].numpy())]
    model.evaluate(ExternalLoader(batches), store=True)
    assert (model.scores[-1].data, model.scores[-1].fingerprint, model.scores[-1].count) == ("", "", 50)


def test_further_training_or_another_dtype_drops_the_scores(model, small):
    assert model.scores
    assert zoo.load("gcn-7x7/mnist").to(dtype="float16").scores == ()
    assert model.fit(small, epochs=1, progress=False).scores == ()


def test_a_fit_that_fails_keeps_scores_and_reference(model, small):
    before = (model.scores, model.reference, model.base)
    with pytest.raises(zoo.ZooError):
        model.fit(small, epochs=1, lr=1e30, optimizer="sgd", progress=False)
    assert (model.scores, model.reference, model.base) == before
