"""timm's image classifiers as models of zoo, and zoo's models in timm's registry."""

import os
import subprocess
import sys

import pytest
import torch

import zoo
from zoo.errors import ConfigError, UnknownNameError
from zoo.testing import CHECKS_BY_TASK, check_model

timm = pytest.importorskip("timm")
LONG = os.environ.get("ZOO_LONG") == "1"
"""Train on all shipped images instead of 256."""
EXAMPLES = zoo.sources["timm"].examples


def test_the_names_equal_those_of_timms_registry():
    names = zoo.sources["timm"].list_names()
    print(f"{len(names)} names of timm {timm.__version__}")
    assert list(names) == sorted(timm.list_models())


def test_listing_the_names_imports_neither_timm_nor_torch():
    source = "import sys, zoo; zoo.models.find('timm:*'); assert not {'timm', 'torch', 'numpy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", source], check=True)


def test_iteration_lists_none_and_the_prefix_lists_all():
    assert not [key for key in zoo.models if key.startswith("timm")]
    assert "timm:resnet18" in zoo.models
    assert zoo.models.owner("timm:resnet18") == "zoo_timm"
    expected = [f"timm:{name}" for name in sorted(timm.list_models("resnet10*"))]
    assert [spec.name for spec in zoo.models.find("timm:resnet10*")] == expected


def test_a_misspelt_name_is_refused_with_near_ones():
    with pytest.raises(UnknownNameError, match="no model named 'timm:resnet19'; did you mean timm:resnet18"):
        zoo.create("timm:resnet19")


def test_timms_registry_is_unchanged():
    from timm.models import _registry

    before = [dict(getattr(_registry, name)) for name in ("_model_entrypoints", "_model_to_module")]
    zoo.create("timm:test_resnet", seed=0, size=28, channels=1, classes=3)
    assert before == [dict(getattr(_registry, name)) for name in ("_model_entrypoints", "_model_to_module")]


@pytest.mark.parametrize("name", [*EXAMPLES, "resnet10t", "convnext_atto"])
def test_an_architecture_is_trained_saved_and_loaded(name, bundled, tmp_path):
    images = bundled.train if LONG else bundled.train.take(256, seed=0)
    model = zoo.create(f"timm:{name}", seed=0, size=32, channels=1).fit(images, epochs=1, progress=False)
    loaded = zoo.load(model.save(tmp_path / "model"))
    assert loaded.spec.name == f"timm:{name}"
    assert torch.equal(loaded.logits(images.images[:8]), model.logits(images.images[:8]))
    assert model.history[0]["loss"] < 4


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_architecture_passes_the_kit(name):
    report = check_model(f"timm:{name}")
    print(report)
    assert {*report.passed, *report.skipped} == set(CHECKS_BY_TASK["classification"])
    assert report.skipped == {"declared_symmetry_holds": "it declares no symmetry"}


@pytest.mark.parametrize("name", [*EXAMPLES, "resnetv2_50", "deit_tiny_distilled_patch16_224"])
def test_features_equal_timms_output_without_a_classifier(name):
    model = zoo.create(f"timm:{name}", seed=0, size=32)
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    features = torch.tensor(model.features(images))
    model.net.reset_classifier(0)
    with torch.no_grad():
        expected = model.net(images.float() / 255)
    assert features.shape[1] > len(model.classes)
    assert torch.allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize(("name", "size"), [("resnet10t", 28), ("mobilenetv3_small_050", 9), ("test_vit", 28)])
def test_a_small_stem_accepts_small_images(name, size):
    model = zoo.create(f"timm:{name}", stem="small", size=size, channels=1, classes=3, seed=0)
    assert model.logits(torch.zeros(2, 1, size, size, dtype=torch.uint8)).shape == (2, 3)


def test_images_that_are_too_small_are_refused_when_the_model_is_created():
    with pytest.raises(ConfigError, match=r"timm:vgg11 cannot take images of 7 x 7 .*stem='small'"):
        zoo.create("timm:vgg11", size=7)


def test_after_register_timm_creates_zoos_models_and_its_own_are_unchanged():
    from zoo.integrations.timm import register

    before = set(timm.list_models())
    names = register()
    assert register() == names
    assert set(timm.list_models()) - before == set(names) - before
    net = timm.create_model("zoo_gcn_7x7", num_classes=4, in_chans=3)
    assert net(torch.zeros(2, 3, 7, 7)).shape == (2, 4)
    assert (net.num_classes, net.default_cfg["input_size"]) == (4, (3, 7, 7))


def test_timm_creates_zoos_trained_weights():
    from zoo.integrations.timm import register

    register()
    net, model = timm.create_model("zoo_gcn_7x7", pretrained=True), zoo.load("gcn-7x7/fashion-mnist")
    images = torch.rand(4, 1, 7, 7)
    assert torch.equal(net.eval()(images), model.net(images))


def test_without_timm_the_error_says_what_to_install(tmp_path):
    (tmp_path / "timm").mkdir()  # a folder without code hides the package
    script = """
import importlib.util, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "timm" else find_spec(name, package)
import zoo
try:
    zoo.models.find("timm:*")
except zoo.ZooError as error:
    print(error)
"""
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'zoo-models[timm]'" in process.stdout
