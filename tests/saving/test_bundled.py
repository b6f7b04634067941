"""The trained weights that ship: whole, with the same outputs and scores as when they were saved."""

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
REQUIRED = {
    f"{model}/{tag}" for model in ("gcn-7x7", "cnn-7x7", "cnn-simple", "cnn-deep") for tag in ("fashion-mnist", "mnist")
}

GENERATOR = "attention-gan-28x28/mnist"


def test_four_models_on_two_data_sets_and_a_generator_ship():
    assert set(zoo.trained) >= {*REQUIRED, GENERATOR}
    assert set(zoo.trained) == set(list_folders())


def test_the_registry_has_what_people_choose_by():
    weights = zoo.trained["cnn-deep/mnist"]
    assert (weights.model, weights.data, weights.scored_on) == ("cnn-deep", "mnist/train", "mnist/test")
    assert weights.accuracy > 0.98
    assert weights.parameters == zoo.models["cnn-deep"].parameters
    assert weights.num_bytes == (weights.folder / "model.safetensors").stat().st_size < 4 << 20
    assert weights.license == "cc-by-sa-3.0"


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_weights_have_seed_recipe_history_and_scores(name):
    manifest = zoo.trained[name].manifest
    assert (manifest.seed, len(manifest.scores), bool(manifest.golden)) == (0, 1, True)
    assert manifest.recipe.epochs == len(zoo.load(name).history)
    assert manifest.scores[0].count == 10_000
    assert "model.fit(data.train, recipe=zoo.Recipe(" in (zoo.trained[name].folder / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_weights_are_verified(name):
    result = verify(name)
    print(result)
    assert result.is_good
    assert result.golden_difference < 1e-4


def test_the_bundled_generator_is_documented_and_verified():
    weights = zoo.trained[GENERATOR]
    assert (weights.data, weights.license, weights.accuracy) == ("mnist/train", "cc-by-sa-3.0", None)
    assert weights.num_bytes < 3 << 20
    manifest = weights.manifest
    assert (manifest.seed, manifest.dtype, manifest.recipe.epochs) == (0, "float16", len(zoo.load(GENERATOR).history))
    result = verify(GENERATOR)
    assert result.is_good
    assert result.golden_difference < TOLERANCE["float16"]
    assert "model.fit(data.train, recipe=zoo.Recipe(" in (weights.folder / "README.md").read_text()


def test_a_classifier_recognises_the_digits_of_the_bundled_generator():
    model = zoo.load(GENERATOR)
    assert model.sample(16).images.shape == (16, 1, 28, 28)
    assert zoo.load("cnn-deep/mnist").evaluate(model.sample(300, seed=7)).accuracy > 0.95


@pytest.mark.parametrize("name", [name for name in sorted(REQUIRED) if "7x7/fashion" in name])
def test_the_stated_accuracy_is_reproduced_on_the_data_in_the_package(name):
    (score,) = verify(name).scores
    print(score)
    assert score.measured == pytest.approx(score.stated, abs=1e-3)


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_the_stated_accuracy_is_reproduced_on_the_full_data(name, full_data):
    (score,) = verify(name).scores
    print(score)
    assert score.measured == pytest.approx(score.stated, abs=1e-3)


def test_the_readme_states_the_accuracies_of_the_weights():
    text = (ROOT / "README.md").read_text()
    header = re.findall(r"`([\w-]+)`", re.search(r"\| accuracy on test images .*", text)[0])
    for row, tag in (("Fashion-MNIST", "fashion-mnist"), ("MNIST", "mnist")):
        cells = re.search(rf"\| {row} \| (.*) \|", text)[1].split(" | ")
        assert cells == [f"{zoo.trained[f'{model}/{tag}'].accuracy:.4f}" for model in header]


def test_pretrained_without_changes_is_the_saved_model():
    images = zoo.dataset("fashion-mnist-7x7").test.take(50)
    model = zoo.create("cnn-7x7", pretrained=True)
    assert torch.equal(model.logits(images), zoo.load("cnn-7x7/fashion-mnist").logits(images))
    assert model.base == "cnn-7x7/fashion-mnist"
    assert (model.report.adapted, model.report.reinitialised, model.report.unexpected) == ({}, {}, ())
    assert not model.history


def test_a_model_begun_from_weights_adopts_the_classes_of_its_data_and_keeps_its_base(tmp_path, small):
    model = zoo.create("cnn-7x7", pretrained="mnist", seed=0)
    assert model.classes.names[0] == "0"
    model.fit(small, epochs=1, progress=False)
    assert model.classes.names[0] == "T-shirt/top"
    assert zoo.load(model.save(tmp_path / "m")).base == "cnn-7x7/mnist"


def test_further_training_of_a_loaded_model_records_its_base(small):
    model = zoo.load("gcn-7x7/mnist")
    assert (model.reference, model.base) == ("gcn-7x7/mnist", "")
    model.fit(small, epochs=1, progress=False)
    assert (model.reference, model.base, model.scores) == ("", "gcn-7x7/mnist", ())


@pytest.mark.parametrize(
    ("pretrained", "message"),
    [
        ("fashion-mnst", "did you mean"),
        ("cnn-7x7", r"cnn-7x7/cnn-7x7.*nor weights that ship"),
        (5, "pretrained is True, a tag"),
        ("", "pretrained is True, a tag"),
    ],
)
def test_missing_pretrained_weights_are_refused_with_a_suggestion(pretrained, message):
    with pytest.raises(UnknownNameError, match=message):
        zoo.create("cnn-7x7", pretrained=pretrained)


def test_a_model_without_trained_weights_is_refused():
    with pytest.raises(UnknownNameError, match=r"no trained weights for gcn-28x28"):
        zoo.create("gcn-28x28", pretrained=True)


def test_the_name_of_a_model_suggests_its_weights():
    with pytest.raises(UnknownNameError, match=r"did you mean cnn-deep/fashion-mnist or cnn-deep/mnist"):
        zoo.load("cnn-deep")


def test_a_folder_of_bundled_weights_has_a_reference(tmp_path):
    assert get_reference(ROOT / "weights" / "gcn-7x7" / "mnist") == "gcn-7x7/mnist"
    assert get_reference(tmp_path / "gcn-7x7" / "mnist") == ""
