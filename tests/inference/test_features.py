"""Features of an image: the input of the layer that gives the logits."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from tests.support.fake_plugin import offer
from tests.support.faulty_nets import Sound, WithFeatures
from zoo.errors import PluginError
from zoo.inference.features import extract_features

IMAGES = torch.rand(3, 1, 7, 7, generator=torch.Generator().manual_seed(0))


class Positions(nn.Module):
    """A layer applied at each position, and the mean of its outputs."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, images):
        if isinstance(self.layer, nn.Conv2d):
            return self.layer(images).mean((2, 3))
        return self.layer(input=images.flatten(2).mT).mean(1)


@pytest.mark.parametrize("net", [Sound, WithFeatures])
def test_features_of_a_linear_classifier_are_its_inputs(net):
    features = extract_features(net((7, 7)), IMAGES, name="it")
    assert torch.equal(features, IMAGES.flatten(1))


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 4, 1), nn.Linear(1, 4)], ids=["convolution", "linear"])
def test_inputs_at_several_positions_are_averaged(layer):
    assert torch.allclose(extract_features(Positions(layer), IMAGES, name="it"), IMAGES.mean((2, 3)))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Sequential(nn.Flatten(), nn.ReLU()), "its logits do not come from a linear layer or convolution"),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()), "its last layer has 2 outputs for 50 classes"),
    ],
)
def test_a_net_without_features_is_refused_with_how_to_declare_them(net, message):
    with pytest.raises(
        PluginError, match=rf"odd has no features: {message}.*forward_head\(features, pre_logits=True\)"
    ):
        extract_features(net, IMAGES, name="odd")


def test_a_layer_that_runs_per_position_gives_no_vector_per_image():
    net = nn.Sequential(nn.Flatten(0, 1), nn.Flatten(0, 1), nn.Linear(7, 4))
    with pytest.raises(PluginError, match=r"features of 3 images are \(21, 7\), not \(3, D\)"):
        extract_features(net, IMAGES, name="odd")


@pytest.mark.parametrize(("name", "width"), [("gcn-7x7", 32), ("cnn-7x7", 128), ("graph-classifier", 32)])
def test_models_of_zoo_have_features_for_any_input_of_predict(name, width, bundled):
    model, images = zoo.create(name, seed=0), bundled.train.take(6, seed=0)
    model.net.train()
    features = model.features(images)
    assert (features.shape, features.dtype) == ((6, width), np.float32)
    assert np.allclose(model.features(images.images[2]), features[2:3], atol=1e-5)
    assert model.net.training


def test_the_head_turns_features_into_logits():
    model = zoo.create("graph-classifier", seed=0)
    images = torch.randint(0, 256, (4, 1, *model.preprocessing.size), dtype=torch.uint8)
    with torch.no_grad():
        logits = model.net.head(torch.tensor(model.features(images)))
    assert torch.allclose(logits, model.logits(images), atol=1e-5)


def test_features_of_a_half_precision_model_are_float32():
    model = zoo.create("gcn-7x7", seed=0).to(dtype="bfloat16")
    assert model.features(torch.zeros(2, 1, 7, 7, dtype=torch.uint8)).dtype == np.float32


def test_a_model_without_features_still_predicts(monkeypatch):
    name = offer(monkeypatch, zoo.ModelSpec(name="bare", summary="a net", build="test_features:Bare", size=(7, 7)))
    model, images = zoo.create(name, seed=0), torch.zeros(2, 1, 7, 7, dtype=torch.uint8)
    with pytest.raises(PluginError, match="bare has no features"):
        model.features(images)
    assert len(model.predict(images)) == 2


class Bare(nn.Module):
    """A weight without a layer."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(channels * size[0] * size[1], classes))

    def forward(self, images):
        return images.flatten(1) @ self.weight
