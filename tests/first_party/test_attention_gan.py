"""The GANs as models of zoo: their images, their refusals, saved files and training."""

import numpy as np
import pytest
import torch

import zoo
from tests.support.interruption import check_resume_inside_an_epoch
from zoo.errors import ConfigError, LabelError, TrainingError
from zoo.testing import CHECKS_BY_TASK, check_model
from zoo_attention_gan.attention import AttentionGAN, SpatialAttention
from zoo_attention_gan.spectral import spectral_norm

SMALL = {"size": 16, "width": 4}


@pytest.fixture
def digits(bundled):
    """Return 64 real images of 16 x 16 pixels."""
    return bundled.train.take(64, seed=0).resize(16)


@pytest.fixture
def trained(digits):
    return zoo.create("attention-gan-28x28", seed=0, **SMALL).fit(digits, epochs=1, progress=False)


def needs_generator(name):
    """Return whether a check is for generators only; the others do not depend on `conditional`."""
    return name not in CHECKS_BY_TASK["classification"] or name in (
        "gradients_reach_every_weight",
        "saved_and_loaded_bitwise",
    )


def test_without_classes_and_attention_the_checks_pass_too():
    options = {"conditional": False, "attention": 0, "width": 16, "size": (16, 16)}
    names = [name for name in CHECKS_BY_TASK["generation"] if needs_generator(name)]
    assert check_model("attention-gan-28x28", only=names, **options).passed == tuple(names)


def test_attention_amplifies_by_1_to_2_with_one_map_for_all_channels():
    module = SpatialAttention(3)
    maps = torch.rand(2, 3, 5, 5) + 0.1
    factors = module(maps) / maps
    assert (factors > 1).all() and (factors < 2).all()  # noqa: PT018
    assert torch.allclose(factors[:, :1].expand_as(factors), factors)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_the_number_of_attention_modules_is_an_option(number):
    net = AttentionGAN((28, 28), attention=number)
    kinds = [type(module).__name__ for module in net.modules()]
    assert kinds.count("SpatialAttention") == number
    assert kinds.count("ConvTranspose2d") == 4
    assert sum(isinstance(module, torch.nn.Conv2d) for module in net.discriminator.modules()) == 4


def test_products_equal_the_convolutions_they_replace():
    net = AttentionGAN((16, 16), width=4).eval()
    codes, images = torch.randn(3, 110), torch.randn(3, 1, 16, 16)
    embedded = torch.cat([codes[:, :100], net.generator.embedding(codes[:, 100:])], 1)
    expected = net.generator.layers(embedded[:, :, None, None])
    assert torch.allclose(net(codes), expected, atol=1e-5)
    discriminator, labels = net.discriminator, torch.eye(10)[:3]
    maps = discriminator.layers(images)
    scores = discriminator.score(maps).flatten() + discriminator.classes.weight[:3].mul(maps.flatten(1)).sum(1)
    assert torch.allclose(discriminator(images, labels), scores, atol=1e-5)


def test_more_attention_modules_than_three_are_refused():
    with pytest.raises(ConfigError, match="0 to 3 attention modules, not 4"):
        zoo.create("attention-gan-28x28", attention=4)


@pytest.mark.parametrize(("name", "size"), [("attention-gan-28x28", 30), ("sn-gan-32x32", 28)])
def test_sizes_that_cannot_be_halved_are_refused_with_a_remedy(name, size):
    with pytest.raises(ConfigError, match=rf"not {size} x {size}; resize"):
        zoo.create(name, size=size)


def test_a_number_cycles_through_the_classes_and_labels_choose_them(trained):
    images = trained.sample(12, seed=3)
    assert images.labels.tolist() == [*range(10), 0, 1]
    assert images.classes == trained.classes
    assert trained.sample([3, 3, 7]).labels.tolist() == [3, 3, 7]
    assert trained.sample(np.array([3])).images.dtype == torch.uint8


def test_the_same_noise_shows_the_given_classes(trained):
    images = trained.sample([4, 4]).images
    assert torch.equal(images, trained.sample(torch.tensor([4, 4])).images)
    assert not torch.equal(images, trained.sample([4, 5]).images)


@pytest.mark.parametrize("count", [0, -1, True, "picture.png", [], None])
def test_an_unusable_count_is_refused(trained, count):
    with pytest.raises(ConfigError, match=r"sample is at least 1|sample takes a number"):
        trained.sample(count)


def test_an_unknown_label_is_named(trained):
    with pytest.raises(LabelError, match="label 12 is not one of the classes 0, 1, 2"):
        trained.sample([1, 12])


def test_without_classes_all_images_have_one_label(digits):
    model = zoo.create("attention-gan-28x28", seed=0, conditional=False, **SMALL).fit(digits, epochs=1, progress=False)
    images = model.sample(3)
    assert images.labels.tolist() == [0, 0, 0]
    assert images.classes.names == ("sample",)
    with pytest.raises(ConfigError, match="conditional=False"):
        model.sample([1])


@pytest.mark.parametrize("method", ["predict", "logits", "classify", "predict_proba", "evaluate", "features"])
def test_a_generator_does_not_read_images(trained, digits, method):
    with pytest.raises(ConfigError, match="is a generator"):
        getattr(trained, method)(digits)


def test_a_classifier_does_not_sample():
    with pytest.raises(ConfigError, match=r"does not generate images; use model.predict\(images\)"):
        zoo.create("gcn-7x7", seed=0).sample(3)


def test_the_history_has_both_losses_and_the_shares_judged_as_real(trained):
    row = trained.history[0]
    assert {"discriminator_loss", "generator_loss", "real_as_real", "drawn_as_real"} <= set(row)
    assert 0 <= row["real_as_real"] <= 1


def test_validation_images_show_whether_the_discriminator_overfits(digits):
    model = zoo.create("attention-gan-28x28", seed=0, **SMALL)
    row = model.fit(digits, epochs=1, validation=0.25, progress=False).history[0]
    assert 0 <= row["val_real_as_real"] <= 1


def test_a_saved_generator_loads_with_the_same_images_and_its_card_describes_it(trained, tmp_path):
    folder = trained.save(tmp_path / "model")
    loaded = zoo.load(folder)
    assert torch.equal(loaded.sample(5).images, trained.sample(5).images)
    card = (folder / "README.md").read_text()
    assert "unconditional-image-generation" in card
    assert "A generator of grey images of 16 x 16 pixels" in card
    assert "model.sample(16)" in card
    assert "10 classes to 1 x 16 x 16" in repr(loaded)


def test_verify_recomputes_the_golden_images_of_a_generator(trained, tmp_path):
    from zoo.verify import verify

    verdict = verify(trained.save(tmp_path / "model"))
    assert verdict.is_good
    assert verdict.golden_difference == 0.0
    assert zoo.load(tmp_path / "model").history == trained.history


@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
def test_an_exported_generator_computes_the_same_images(trained, tmp_path, suffix):
    if suffix == "onnx":
        pytest.importorskip("onnxruntime")
    assert trained.export(tmp_path / f"model.{suffix}").difference <= 1e-4


@pytest.mark.parametrize("name", ["attention-gan-28x28", "sn-gan-32x32"])
def test_a_generator_for_grey_images_initialises_one_for_colour_with_equal_images(name, tmp_path):
    grey = zoo.create(name, seed=0, channels=1, **SMALL)
    colour = zoo.create(name, pretrained=grey.save(tmp_path / "grey"), channels=3, classes=4)
    assert colour.report.difference == pytest.approx(0, abs=1e-5)
    assert colour.sample([3]).images.shape == (1, 3, 16, 16)
    assert all("classes" in reason for reason in colour.report.reinitialised.values())


def test_a_generator_for_grey_images_takes_the_mean_over_the_colours(tmp_path):
    colour = zoo.create("attention-gan-28x28", seed=0, channels=3, **SMALL)
    grey = zoo.create("attention-gan-28x28", pretrained=colour.save(tmp_path / "colour"), channels=1)
    name = "generator.layers.12.weight"
    assert torch.allclose(
        grey.net.state_dict()[name], colour.net.state_dict()[name].mean(1, keepdim=True), rtol=1e-5, atol=1e-7
    )


def test_a_diverging_training_does_not_change_the_model(digits):
    model = zoo.create("attention-gan-28x28", seed=0, **SMALL)
    before = model.sample(4)
    with pytest.raises(TrainingError, match=r"loss of .* is nan"):
        model.fit(digits, epochs=2, lr=1e30, ema=0.0, progress=False)
    assert model.sample(4) == before
    assert not model.history


def test_a_weight_under_spectral_norm_has_a_largest_singular_value_of_1():
    torch.manual_seed(0)
    layer = spectral_norm(torch.nn.Conv2d(3, 8, 3))
    for _ in range(30):
        layer(torch.rand(1, 3, 5, 5))
    assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", ["attention-gan-28x28", "sn-gan-32x32"])
def test_training_resumes_inside_an_epoch_bit_for_bit(digits, name):
    def make_model():
        return zoo.create(name, seed=0, size=16, width=4, channels=1)

    check_resume_inside_an_epoch(make_model, digits, epochs=2, batch_size=16, progress=False)


def test_the_bundled_half_precision_generator_can_be_made_for_colour():
    colour = zoo.create("attention-gan-28x28", pretrained="attention-gan-28x28/mnist", channels=3)
    assert colour.report.difference < 1e-2
    assert colour.sample([3]).images.shape == (1, 3, 28, 28)
