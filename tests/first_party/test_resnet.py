"""The residual networks are those of their papers, and load the weights of other libraries."""

import pytest
import torch

import zoo
from tests.support.interruption import check_resume_inside_an_epoch
from zoo.errors import ConfigError

RESNETS = [name for name in zoo.models if zoo.models.owner(name) == "zoo_resnet"]
MILLIONS = {
    "resnet-18": 11.17,
    "resnet-34": 21.28,
    "resnet-50": 23.52,
    "resnet-101": 42.51,
    "resnet-20": 0.27,
    "resnet-56": 0.85,
    "wrn-16-4": 2.75,
}


def test_all_seven_are_registered():
    assert set(RESNETS) == set(MILLIONS)


@pytest.mark.parametrize("name", RESNETS)
def test_a_net_has_the_papers_number_of_parameters(name):
    model = zoo.create(name, seed=0)
    assert model.num_parameters == model.spec.parameters
    assert round(model.num_parameters / 1e6, 2) == MILLIONS[name]


@pytest.mark.parametrize("depth", [18, 50])
def test_a_net_loads_torchvisions_weights_and_computes_the_same_logits(depth):
    models = pytest.importorskip("torchvision.models")
    reference = models.get_model(f"resnet{depth}", weights=None, num_classes=7).eval()
    model = zoo.create(f"resnet-{depth}", stem="own", size=64, classes=7, seed=0)
    model.net.load_state_dict(reference.state_dict())
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(model.net(images), reference(images))


@pytest.mark.parametrize("depth", [34, 101])
def test_a_net_names_its_layers_as_torchvision_and_timm_do(depth):
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        expected = models.get_model(f"resnet{depth}", weights=None, num_classes=10).state_dict()
    state = zoo.create(f"resnet-{depth}", stem="own", size=64, seed=0).net.state_dict()
    assert {key: each.shape for key, each in state.items()} == {key: each.shape for key, each in expected.items()}


@pytest.mark.parametrize("name", RESNETS)
def test_a_batch_of_one_image_of_7_x_7_pixels_can_be_trained_on(name):
    narrow = {"widen": 1} if name == "wrn-16-4" else {"width": 4}
    model = zoo.create(name, seed=0, size=7, channels=2, classes=3, **narrow)
    images = zoo.Images(torch.randint(0, 256, (3, 2, 7, 7), dtype=torch.uint8), torch.arange(3))
    model.fit(images, epochs=1, batch_size=2, progress=False)
    assert len(model.predict(images)) == 3


@pytest.mark.parametrize("name", RESNETS)
def test_images_below_7_pixels_are_refused(name):
    with pytest.raises(ConfigError, match=rf"{name} needs images of at least 7 x 7 pixels, not 6 x 9"):
        zoo.create(name, size=(6, 9))


def test_the_small_stem_does_not_reduce_the_image_and_the_original_does():
    images = torch.zeros(1, 3, 32, 32)
    small, own = (zoo.create("resnet-18", width=4, stem=stem, seed=0).net for stem in ("small", "own"))
    assert small.maxpool(small.conv1(images)).shape[2:] == (32, 32)
    assert own.maxpool(own.conv1(images)).shape[2:] == (8, 8)


def test_resnet_18_resumes_inside_an_epoch_bit_for_bit(small):
    def make_model():
        return zoo.create("resnet-18", seed=0, size=8, channels=1, width=8)

    check_resume_inside_an_epoch(make_model, small.take(32), epochs=2, batch_size=8, progress=False)


def test_a_net_for_grey_images_initialises_one_for_colour_and_other_classes(tmp_path):
    grey = zoo.create("resnet-18", seed=0, size=8, channels=1, width=4)
    colour = zoo.create("resnet-18", pretrained=grey.save(tmp_path / "grey"), channels=3, classes=4)
    assert colour.report.difference == pytest.approx(0, abs=1e-5)
    assert list(colour.report.adapted) == ["conv1.weight"]
    assert set(colour.report.reinitialised) == {"fc.weight", "fc.bias"}
    assert colour.predict(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)).shape == (2,)
