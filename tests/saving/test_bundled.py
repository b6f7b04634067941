"""The trained weights that ship: whole, still computing what they did, and as good as they say."""

import re
from pathlib import Path

import pytest
import torch

import zoo
from zoo.errors import UnknownNameError
from zoo.inference.golden import TOLERANCE
from zoo.saving.bundled import get_reference, list_folders
from zoo.verify import verify

ROOT = Path(__file__).parents[2]
WANTED = {
    f"{model}/{tag}" for model in ("gcn-7x7", "cnn-7x7", "cnn-simple", "cnn-deep") for tag in ("fashion-mnist", "mnist")
}

GENERATOR = "attention-gan-28x28/mnist"


def test_four_models_on_two_data_sets_and_a_generator_ship():
    assert set(zoo.trained) >= {*WANTED, GENERATOR}
    assert set(zoo.trained) == set(list_folders())


def test_the_shelf_tells_what_people_choose_by():
    weights = zoo.trained["cnn-deep/mnist"]
    assert (weights.model, weights.data, weights.scored_on) == ("cnn-deep", "mnist/train", "mnist/test")
    assert weights.accuracy > 0.98
    assert weights.parameters == zoo.models["cnn-deep"].parameters
    assert weights.num_bytes == (weights.folder / "model.safetensors").stat().st_size < 4 << 20
    assert weights.license == "cc-by-sa-3.0"


@pytest.mark.parametrize("name", sorted(WANTED))
def test_weights_carry_all_that_made_them(name):
    manifest = zoo.trained[name].manifest
    assert (manifest.seed, len(manifest.scores), bool(manifest.golden)) == (0, 1, True)
    assert manifest.recipe.epochs == len(zoo.load(name).history)
    assert manifest.scores[0].count == 10_000
    assert "model.fit(data.train, recipe=zoo.Recipe(" in (zoo.trained[name].folder / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(WANTED))
def test_weights_hold(name):
    verdict = verify(name)
    print(verdict)
    assert verdict.is_good
    assert verdict.golden_difference < 1e-4


def test_the_generator_that_ships_says_how_it_was_made_and_still_draws_what_it_drew():
    weights = zoo.trained[GENERATOR]
    assert (weights.data, weights.license, weights.accuracy) == ("mnist/train", "cc-by-sa-3.0", None)
    assert weights.num_bytes < 3 << 20
    manifest = weights.manifest
    assert (manifest.seed, manifest.dtype, manifest.recipe.epochs) == (0, "float16", len(zoo.load(GENERATOR).history))
    verdict = verify(GENERATOR)
    assert verdict.is_good
    assert verdict.golden_difference < TOLERANCE["float16"]
    assert "model.fit(data.train, recipe=zoo.Recipe(" in (weights.folder / "README.md").read_text()


def test_the_generator_that_ships_draws_digits_that_a_classifier_reads():
    model = zoo.load(GENERATOR)
    assert model.sample(16).images.shape == (16, 1, 28, 28)
    assert zoo.load("cnn-deep/mnist").evaluate(model.sample(300, seed=7)).accuracy > 0.95


@pytest.mark.parametrize("name", [name for name in sorted(WANTED) if "7x7/fashion" in name])
def test_the_stated_accuracy_is_taken_again_on_the_data_in_the_package(name):
    (score,) = verify(name).scores
    print(score)
    assert score.measured == pytest.approx(score.stated, abs=1e-3)


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(WANTED))
def test_the_stated_accuracy_is_taken_again_on_the_full_data(name, full_data):
    (score,) = verify(name).scores
    print(score)
    assert score.measured == pytest.approx(score.stated, abs=1e-3)


def test_the_readme_states_the_accuracies_of_the_weights():
    text = (ROOT / "README.md").read_text()
    header = re.findall(r"`([\w-]+)`", re.search(r"\| accuracy on test images .*", text)[0])
    for row, tag in (("Fashion-MNIST", "fashion-mnist"), ("MNIST", "mnist")):
        found = re.search(rf"\| {row} \| (.*) \|", text)[1].split(" | ")
        assert found == [f"{zoo.trained[f'{model}/{tag}'].accuracy:.4f}" for model in header]


def test_pretrained_is_the_saved_model_when_nothing_is_changed():
    images = zoo.dataset("fashion-mnist-7x7").test.take(50)
    begun = zoo.create("cnn-7x7", pretrained=True)
    assert torch.equal(begun.logits(images), zoo.load("cnn-7x7/fashion-mnist").logits(images))
    assert begun.base == "cnn-7x7/fashion-mnist"
    assert (begun.report.adapted, begun.report.reinitialised, begun.report.unexpected) == ({}, {}, ())
    assert not begun.history


def test_a_model_begun_from_weights_adopts_the_classes_of_its_data_and_keeps_its_base(tmp_path, small):
    begun = zoo.create("cnn-7x7", pretrained="mnist", seed=0)
    assert begun.classes.names[0] == "0"
    begun.fit(small, epochs=1, progress=False)
    assert begun.classes.names[0] == "T-shirt/top"
    assert zoo.load(begun.save(tmp_path / "m")).base == "cnn-7x7/mnist"


def test_what_is_trained_on_from_a_loaded_model_remembers_it(small):
    model = zoo.load("gcn-7x7/mnist")
    assert (model.reference, model.base) == ("gcn-7x7/mnist", "")
    model.fit(small, epochs=1, progress=False)
    assert (model.reference, model.base, model.scores) == ("", "gcn-7x7/mnist", ())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("fashion-mnst", "did you mean"),
        ("cnn-7x7", r"cnn-7x7/cnn-7x7.*no weights that ship"),
        (5, "pretrained is True, a tag"),
        ("", "pretrained is True, a tag"),
    ],
)
def test_pretrained_weights_that_are_not_there_are_an_error_that_names_those_that_are(wrong, told):
    with pytest.raises(UnknownNameError, match=told):
        zoo.create("cnn-7x7", pretrained=wrong)


def test_a_model_without_trained_weights_says_so():
    with pytest.raises(UnknownNameError, match=r"no trained weights for gcn-28x28"):
        zoo.create("gcn-28x28", pretrained=True)


def test_a_bare_name_of_a_model_names_its_weights():
    with pytest.raises(UnknownNameError, match=r"did you mean cnn-deep/fashion-mnist or cnn-deep/mnist"):
        zoo.load("cnn-deep")


def test_a_folder_among_the_shipped_ones_knows_its_reference(tmp_path):
    assert get_reference(ROOT / "weights" / "gcn-7x7" / "mnist") == "gcn-7x7/mnist"
    assert get_reference(tmp_path / "gcn-7x7" / "mnist") == ""
