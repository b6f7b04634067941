"""Verifying a saved model returns whether it is good, or the problem, and does not raise."""

import json

import pytest
import torch

import zoo
from tests.support.artifacts import edit_manifest, read_state, write_state
from zoo.saving.folder import CONFIG
from zoo.verify import verify


@pytest.fixture(scope="module")
def model():
    data = zoo.dataset("fashion-mnist-7x7")
    model = zoo.create("gcn-7x7", seed=0).fit(data.train.take(500, seed=0), epochs=1, progress=False)
    model.evaluate(data.test, store=True)
    return model


@pytest.fixture
def folder(model, tmp_path):
    return model.save(tmp_path / "model")


def edit_score(folder, **changes):
    """Change what a saved model states as its score."""
    score = json.loads((folder / CONFIG).read_text())["scores"][0]
    return edit_manifest(folder, scores=[{**score, **changes}])


def test_a_saved_model_holds(folder):
    result = verify(folder)
    assert result.is_good
    assert (result.num_tensors, result.golden_difference, len(result.scores)) == (6, 0.0, 1)
    assert result.scores[0].measured == result.scores[0].stated


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_a_saved_model_of_another_number_type_holds(model, tmp_path, kind):
    other = zoo.load(model.save(tmp_path / "model")).to(dtype=kind)
    assert verify(other.save(tmp_path / "other")).is_good


def test_a_perturbed_weight_is_found_by_its_hash(folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    result = verify(folder)
    assert not result.is_good
    assert "model.safetensors is damaged or was changed" in result.problem


def test_a_perturbed_weight_with_good_hashes_is_found_by_its_outputs(folder):
    state = read_state(folder)
    write_state(folder, {**state, "convolutions.2.bias": state["convolutions.2.bias"] + torch.arange(10.0)})
    result = verify(folder)
    assert not result.is_good
    assert "its outputs differ from the golden outputs" in result.problem
    assert "its accuracy on fashion-mnist-7x7/test is" in result.problem


def test_a_plugin_whose_code_changed_is_found_by_its_outputs(folder, monkeypatch):
    from zoo_grid_gcn.net import GridGCN

    forward = GridGCN.forward
    monkeypatch.setattr(GridGCN, "forward", lambda self, images: forward(self, images).roll(1, 1))
    result = verify(folder, rescore=False)
    assert not result.is_good
    assert result.golden_difference > 0.01
    assert result.scores == ()


@pytest.mark.parametrize("change", [lambda logits: logits[:, :5], lambda logits: 1 / 0], ids=["fewer", "an error"])
def test_a_plugin_whose_code_no_longer_runs_is_a_problem_too(folder, monkeypatch, change):
    from zoo_grid_gcn.net import GridGCN

    forward = GridGCN.forward
    monkeypatch.setattr(GridGCN, "forward", lambda self, images: change(forward(self, images)))
    assert not verify(folder).is_good


def test_a_stated_accuracy_that_is_wrong_is_found(folder):
    result = verify(edit_score(folder, metrics={"accuracy": 0.99}))
    assert not result.is_good
    assert "and 0.9900 is stated" in result.problem
    assert verify(folder, rescore=False).is_good


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"data": "no-such-data/test"}, "no plugin offers that data set"),
        ({"data": "mnist/test"}, "that data set is not on this machine"),
        ({"data": "somewhere"}, "it names no data set"),
        ({"data": "../../etc/test"}, "it names no data set"),
        ({"fingerprint": "0" * 64}, "the images here are not those it was scored on"),
        ({"metrics": {"nll": 1.0}}, "no accuracy is stated"),
    ],
    ids=["unknown", "not here", "no name", "a path", "other images", "no accuracy"],
)
def test_a_score_that_cannot_be_taken_again_says_why_and_is_no_problem(folder, changes, why):
    result = verify(edit_score(folder, **changes))
    assert result.is_good
    assert (result.scores[0].measured, result.scores[0].reason) == (None, why)


def test_classes_that_the_images_do_not_have_are_a_problem_too(folder):
    names = list("abcdefghij")
    assert not verify(edit_manifest(folder, classes={"values": names, "names": names})).is_good


def test_a_model_without_golden_outputs_is_checked_by_the_rest(folder):
    result = verify(edit_manifest(folder, golden=[]))
    assert (result.is_good, result.golden_difference) == (True, None)


@pytest.mark.parametrize("golden", [[[1.0]], [[0.0] * 10] * 3, [[0.0] * 9] * 4])
def test_golden_outputs_of_another_form_are_a_problem(folder, golden):
    result = verify(edit_manifest(folder, golden=golden), rescore=False)
    assert (result.is_good, result.golden_difference) == (False, float("inf"))


@pytest.mark.parametrize("reference", ["nothing", "./nothing", "", "hf:", None, 3])
def test_what_is_not_a_saved_model_is_a_problem(reference):
    assert not verify(reference).is_good


def test_a_path_from_here_is_a_path(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert verify(type(folder)("model"), rescore=False).is_good


def test_verifying_changes_nothing(folder):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    state = torch.get_rng_state()
    verify(folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert torch.equal(torch.get_rng_state(), state)
