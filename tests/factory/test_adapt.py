"""Adapt trained weights to other channels, classes and sizes, and report what happened to each tensor."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import zoo
from zoo.errors import ConfigError, WeightsError
from zoo.factory.adapt import IOShape, adapt_preprocessing, adapt_state_dict
from zoo.factory.channels import spread_input_channels
from zoo.saving.bundled import list_folders
from zoo.signature import Preprocessing

COUNTS = st.integers(1, 5)
CONVOLUTION, LINEAR, MATMUL = "(out, in, kh, kw)", "(out, in * h * w)", "(in, out)"


def repeat_channels(images, count):
    """Return images whose channels are repeated in turn until there are `count`."""
    return images[:, torch.arange(count) % images.shape[1]]


def make_image_pair(source, target, generator):
    """Return the same images with `source` and with `target` channels."""
    images = torch.rand(3, min(source, target), 4, 4, generator=generator, dtype=torch.float64)
    return repeat_channels(images, source), repeat_channels(images, target)


def apply_layer(weight, layout, images):
    if layout == CONVOLUTION:
        return nn.functional.conv2d(images, weight, padding=1)
    return images.flatten(1) @ weight.T if layout == LINEAR else images.flatten(2).mT @ weight


def make_layer(layout, source, generator):
    shape, axis = {CONVOLUTION: ((6, source, 3, 3), 1), LINEAR: ((6, source * 16), 1), MATMUL: ((source, 6), 0)}[layout]
    return torch.randn(shape, generator=generator, dtype=torch.float64), axis


@pytest.mark.parametrize("layout", [CONVOLUTION, LINEAR, MATMUL])
@given(source=COUNTS, target=COUNTS, seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_repeated_channels_give_the_same_outputs(layout, source, target, seed):
    generator = torch.Generator().manual_seed(seed)
    weight, axis = make_layer(layout, source, generator)
    before, after = make_image_pair(source, target, generator)
    outputs = apply_layer(spread_input_channels(weight, source, target, axis=axis), layout, after)
    assert torch.allclose(outputs, apply_layer(weight, layout, before), rtol=1e-12, atol=1e-12)


@given(source=COUNTS, target=COUNTS, seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_channels_with_their_own_std_give_the_same_outputs(source, target, seed):
    generator = torch.Generator().manual_seed(seed)
    weight, axis = make_layer(LINEAR, source, generator)
    stds = tuple((torch.rand(source, generator=generator) + 0.5).tolist())
    old = Preprocessing(size=(4, 4), channels=source, mean=(0.25,), std=stds)
    new = adapt_preprocessing(old, Preprocessing(size=(4, 4), channels=target))

    def normalise(images, preprocessing):
        mean, std = (
            torch.tensor(each, dtype=torch.float64).view(-1, 1, 1) for each in (preprocessing.mean, preprocessing.std)
        )
        return (images - mean) / std

    before, after = make_image_pair(source, target, generator)
    spread = spread_input_channels(weight, source, target, axis=axis, std=stds)
    outputs = apply_layer(spread, LINEAR, normalise(after, new))
    assert torch.allclose(outputs, apply_layer(weight, LINEAR, normalise(before, old)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_layer_keeps_its_dtype_and_is_contiguous(dtype):
    layer = spread_input_channels(torch.randn(6, 1, 3, 3).to(dtype), 1, 3)
    assert (layer.dtype, layer.shape, layer.is_contiguous()) == (dtype, (6, 3, 3, 3), True)


def test_a_layer_in_float64_is_spread_in_float64():
    weight = torch.full((1, 1), 1 / 3, dtype=torch.float64)
    assert torch.equal(spread_input_channels(weight, 1, 2), torch.full((1, 2), 1 / 6, dtype=torch.float64))


def make_shapes(**changes):
    source = {"size": (7, 7), "channels": 1, "num_classes": 10}
    return IOShape(**source), IOShape(**{**source, **changes})


def test_all_mismatches_are_named_at_once():
    source, target = make_shapes()
    state = {"a": torch.ones(2), "b": torch.ones(2), "more": torch.ones(1)}
    own = {"a": torch.ones(3), "b": torch.ones(2).half(), "c": torch.ones(1)}
    with pytest.raises(WeightsError) as raised:
        adapt_state_dict(state, own, source_shape=source, target_shape=target, name="it")
    assert str(raised.value) == (
        "it does not fit the model: a is (2,) in the file and (3,) in the model, b is float32 in the file and float16 "
        "in the model, c is missing, more is unexpected; partial=True loads what fits and leaves the rest as it is"
    )


def test_partial_loads_what_fits_and_reports_the_rest():
    source, target = make_shapes()
    state = {"a": torch.ones(2), "b": torch.ones(2), "more": torch.ones(1)}
    own = {"a": torch.zeros(3), "b": torch.zeros(2), "c": torch.zeros(1)}
    adapted, report = adapt_state_dict(state, own, source_shape=source, target_shape=target, partial=True, name="it")
    assert {name: tensor.sum().item() for name, tensor in adapted.items()} == {"a": 0, "b": 2, "c": 0}
    assert (report.loaded, report.missing, report.unexpected) == (("b",), ("c",), ("more",))
    assert str(report).splitlines() == [
        "1 tensors loaded unchanged",
        "a: re-initialised, (2,) in the file and (3,) in the model",
        "c: re-initialised, missing",
        "more: not in the model, ignored",
    ]


def test_adapting_does_not_change_its_inputs():
    source, target = make_shapes(channels=3)
    weight, own = torch.randn(4, 1, 3, 3), torch.randn(4, 3, 3, 3)
    copies = weight.clone(), own.clone()
    adapt_state_dict({"w": weight}, {"w": own}, source_shape=source, target_shape=target, name="it")
    assert torch.equal(weight, copies[0])
    assert torch.equal(own, copies[1])


TRAINED = [name for name in list_folders() if zoo.models[name.partition("/")[0]].task_info.has_accuracy]


@pytest.mark.parametrize("reference", TRAINED)
def test_other_classes_keep_the_trunk_bit_for_bit_and_get_a_fresh_head(reference):
    name = reference.partition("/")[0]
    old, new, plain = (
        zoo.load(reference),
        zoo.create(name, pretrained=reference, classes=3, seed=1),
        zoo.create(name, classes=3, seed=1),
    )
    changed = []
    for key, tensor in new.net.state_dict().items():
        if torch.equal(tensor, plain.net.state_dict()[key]):
            changed.append(key)
        else:
            assert torch.equal(tensor, old.net.state_dict()[key])
    assert [new.net.state_dict()[key].shape[-1 if "convolutions" in key else 0] for key in changed] == [3, 3]
    assert (len(new.classes), new.base, new.history) == (3, reference, plain.history)


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("reference", TRAINED)
def test_other_channels_give_the_logits_of_the_grey_image(reference, channels):
    name = reference.partition("/")[0]
    old, new = zoo.load(reference), zoo.create(name, pretrained=reference, channels=channels, seed=1)
    grey = torch.randint(0, 256, (8, 1, *old.preprocessing.size), dtype=torch.uint8)
    actual, expected = new.logits(repeat_channels(grey, channels)), old.logits(grey)
    assert torch.allclose(actual, expected, rtol=1e-4, atol=1e-3 * expected.abs().max().item())
    assert (new.classes, new.preprocessing.channels) == (old.classes, channels)


@pytest.mark.parametrize("reference", TRAINED)
def test_another_size_is_accepted_only_if_no_tensor_depends_on_it(reference):
    name = reference.partition("/")[0]
    if name.startswith("gcn"):
        model = zoo.create(name, pretrained=reference, size=14)
        assert model.preprocessing.size == (14, 14)
        assert model.predict(torch.zeros(1, 1, 14, 14)).shape == (1,)
    else:
        with pytest.raises(WeightsError, match=r"it was made for images of \(\d+, \d+\), the model is for \(14, 14\)"):
            zoo.create(name, pretrained=reference, size=14)


@pytest.mark.parametrize("reference", TRAINED)
def test_a_model_of_the_same_shape_equals_the_trained_one(reference):
    name, _, tag = reference.partition("/")
    old, new = zoo.load(reference), zoo.create(name, pretrained=tag)
    for key, tensor in new.net.state_dict().items():
        assert torch.equal(tensor, old.net.state_dict()[key])
    assert new.preprocessing == old.preprocessing


def test_the_report_lists_what_happened_to_each_tensor():
    model = zoo.create("gcn-7x7", seed=1, channels=3, classes=4)
    report = model.load_weights("gcn-7x7/mnist")
    assert report.loaded == ("convolutions.0.bias", "convolutions.1.weight", "convolutions.1.bias")
    assert report.adapted == {"convolutions.0.weight": "spread from 1 to 3 channels"}
    assert set(report.reinitialised.values()) == {"made for 10 classes, the model has 4"}
    assert report.difference < 1e-5
    assert "convolutions.0.weight: adapted, spread from 1 to 3 channels" in str(report)


def test_another_net_is_refused_by_name_and_changes_nothing():
    model = zoo.create("cnn-7x7", seed=1)
    before = {key: each.clone() for key, each in model.net.state_dict().items()}
    with pytest.raises(WeightsError, match="is a gcn-7x7, which is another net than cnn-7x7"):
        model.load_weights("gcn-7x7/mnist")
    assert all(torch.equal(each, before[key]) for key, each in model.net.state_dict().items())


def test_a_width_that_triples_with_the_channels_is_not_a_first_layer(tmp_path):
    small = zoo.create("gcn-7x7", seed=0, hidden=(4, 8)).save(tmp_path / "small")
    wide = zoo.create("gcn-7x7", seed=1, hidden=(12, 8), channels=3)
    with pytest.raises(WeightsError, match=r"convolutions.0.weight is \(1, 4\) in the file and \(3, 12\)"):
        wide.load_weights(small)


def test_a_file_that_lacks_a_tensor_is_spread_with_partial_and_has_no_difference(tmp_path):
    from tests.support.artifacts import read_state, write_state

    folder = zoo.create("gcn-7x7", seed=0).save(tmp_path / "model")
    state = read_state(folder)
    write_state(folder, {**state, "convolutions.2.bias": torch.ones(3)})
    report = zoo.create("gcn-7x7", seed=1, channels=3).load_weights(folder, partial=True)
    assert "convolutions.0.weight" in report.adapted
    assert "convolutions.2.bias" in report.reinitialised
    assert report.difference is None


def test_options_a_model_does_not_take_are_refused_before_weights_are_read():
    with pytest.raises(ConfigError, match="takes no 'width'"):
        zoo.create("gcn-7x7", pretrained="mnist", width=3)
