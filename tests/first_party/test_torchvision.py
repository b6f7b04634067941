"""torchvision's image classifiers as models of zoo."""

import os
import subprocess
import sys

import pytest
import torch

import zoo
from zoo.errors import ConfigError, UnknownNameError
from zoo.testing import CHECKS_BY_TASK, check_model

models = pytest.importorskip("torchvision.models")
LONG = os.environ.get("ZOO_LONG") == "1"
"""Train on all shipped images instead of 256."""
EXAMPLES = zoo.sources["torchvision"].examples


def test_the_names_equal_those_of_torchvisions_registry():
    names = zoo.sources["torchvision"].list_names()
    print(f"{len(names)} names of torchvision")
    assert list(names) == sorted(models.list_models(module=models))


def test_listing_the_names_imports_neither_torchvision_nor_torch():
    source = (
        "import sys, zoo; zoo.models.find('torchvision:*'); assert not {'torchvision', 'torch'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", source], check=True)


def test_a_misspelt_name_is_refused_with_near_ones():
    with pytest.raises(UnknownNameError, match="did you mean torchvision:resnet18"):
        zoo.create("torchvision:resnet81")


def test_torchvisions_registry_is_unchanged():
    before = models.list_models()
    zoo.create("torchvision:squeezenet1_1", seed=0)
    assert models.list_models() == before


@pytest.mark.parametrize("name", [*EXAMPLES, "resnet18"])
def test_an_architecture_is_trained_saved_and_loaded(name, bundled, tmp_path):
    images = bundled.train if LONG else bundled.train.take(256, seed=0)
    model = zoo.create(f"torchvision:{name}", seed=0, size=32, channels=1).fit(images, epochs=1, progress=False)
    loaded = zoo.load(model.save(tmp_path / "model"))
    assert loaded.spec.name == f"torchvision:{name}"
    assert torch.equal(loaded.logits(images.images[:8]), model.logits(images.images[:8]))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_architecture_passes_the_kit(name):
    report = check_model(f"torchvision:{name}")
    print(report)
    assert {*report.passed, *report.skipped} == set(CHECKS_BY_TASK["classification"])
    assert report.skipped == {"declared_symmetry_holds": "it declares no symmetry"}


@pytest.mark.parametrize(
    ("name", "head"),
    [("resnet18", "fc"), ("mobilenet_v2", "classifier"), ("vit_b_32", "heads"), ("densenet121", "classifier")],
)
def test_features_equal_the_output_without_the_last_layer(name, head):
    model = zoo.create(f"torchvision:{name}", seed=0, size=32)
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    features = torch.tensor(model.features(images))
    setattr(model.net, head, torch.nn.Identity())
    with torch.no_grad():
        expected = model.net(images.float() / 255)
    assert torch.allclose(features, expected, atol=1e-5)


def test_features_before_a_convolutional_head_are_averaged_over_the_pixels():
    model = zoo.create("torchvision:squeezenet1_1", seed=0)
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        expected = model.net.features(images.float() / 255).mean((2, 3))
    assert torch.allclose(torch.tensor(model.features(images)), expected, atol=1e-5)


@pytest.mark.parametrize(("name", "size"), [("resnet18", 28), ("mobilenet_v3_small", 9), ("vgg11", 32)])
def test_a_small_stem_accepts_small_images(name, size):
    model = zoo.create(f"torchvision:{name}", stem="small", size=size, channels=1, classes=3, seed=0)
    assert model.logits(torch.zeros(2, 1, size, size, dtype=torch.uint8)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "config"),
    [("vgg11", {"size": 7}), ("vit_b_32", {"size": (32, 28)}), ("vit_b_32", {"size": 32, "stem": "small"})],
)
def test_an_unsupported_config_is_refused_when_the_model_is_created(name, config):
    with pytest.raises(ConfigError, match=f"torchvision:{name}"):
        zoo.create(f"torchvision:{name}", **config)


def test_nets_with_auxiliary_heads_are_built_without_them():
    model = zoo.create("torchvision:googlenet", size=64, classes=4, seed=0)
    assert not any(name.startswith("aux") for name, _ in model.net.named_parameters())
