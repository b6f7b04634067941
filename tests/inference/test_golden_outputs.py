"""Golden outputs: images that are the same on every machine, and the difference between two outputs."""

import hashlib

import pytest
import torch
from torch import nn

import zoo
from tests.support.small_models import OPTIONS
from zoo.device import DTYPES
from zoo.inference.golden import (
    NUM_IMAGES,
    NUM_OUTPUTS,
    TOLERANCE,
    compute_golden_outputs,
    make_golden_images,
    max_relative_difference,
)
from zoo.signature import Preprocessing


def make_preprocessing(*size, channels=1):
    return Preprocessing(size=size, channels=channels)


class Wide(nn.Module):
    """A net with any number of logits, all infinite if the bias is."""

    def __init__(self, classes, bias=0.0):
        super().__init__()
        self.bias = nn.Parameter(torch.full((classes,), bias))

    def forward(self, images):
        return images.flatten(1).sum(1, keepdim=True) + self.bias


def test_the_images_are_the_same_on_every_machine():
    digest = hashlib.sha256(make_golden_images(make_preprocessing(28, 28, channels=3)).numpy().tobytes()).hexdigest()
    assert digest == "8479111d01c3335e5c1530014434a9594e2322346c127f6f4f058d47bf932c15"


@pytest.mark.parametrize(("size", "channels"), [((1, 1), 1), ((7, 7), 1), ((5, 9), 3), ((28, 28), 4)])
def test_there_are_four_images_of_the_models_shape(size, channels):
    images = make_golden_images(make_preprocessing(*size, channels=channels))
    assert (images.shape, images.dtype) == ((NUM_IMAGES, channels, *size), torch.uint8)


def test_each_image_is_coarser_than_the_one_before():
    changes = [
        (image[0, :, 1:] != image[0, :, :-1]).float().mean().item()
        for image in make_golden_images(make_preprocessing(64, 64))
    ]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 0.9
    assert changes[-1] < 0.2


def test_at_most_64_logits_are_stored():
    outputs = compute_golden_outputs(Wide(1000), make_preprocessing(7, 7))
    assert [len(row) for row in outputs] == [NUM_OUTPUTS] * NUM_IMAGES


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_outputs_that_are_not_finite_are_left_out(value):
    assert compute_golden_outputs(Wide(3, bias=value), make_preprocessing(7, 7)) == ()


def test_outputs_do_not_change_the_net_or_the_random_state():
    model, before = zoo.create("cnn-7x7", seed=0), torch.get_rng_state()
    model.net.train()
    compute_golden_outputs(model.net, model.preprocessing)
    assert model.net.training
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("actual", "expected", "difference"),
    [
        ((), (), 0.0),
        (((1.0, 2.0),), ((1.0, 2.0),), 0.0),
        (((0.5, 0.0),), ((0.0, 0.0),), 0.5),
        (((11.0, 0.0),), ((10.0, 0.0),), 0.1),
        (((-11.0, 0.0),), ((-10.0, 0.0),), 0.1),
        ((), ((1.0,),), float("inf")),
        (((1.0,),), ((1.0, 2.0),), float("inf")),
    ],
)
def test_the_difference_is_a_fraction_of_the_largest_logit(actual, expected, difference):
    assert max_relative_difference(actual, expected) == pytest.approx(difference)


def test_every_dtype_has_a_tolerance():
    assert set(TOLERANCE) == set(DTYPES)


@pytest.mark.parametrize("name", list(zoo.models))
def test_half_precision_stays_within_its_tolerance(name):
    model = zoo.create(name, seed=0, **OPTIONS.get(name, {}))
    single = compute_golden_outputs(model.net, model.preprocessing, model.spec.task)
    for dtype in ("float16", "bfloat16"):
        half = zoo.create(name, seed=0, **model.config).to(dtype=dtype)
        assert (
            max_relative_difference(compute_golden_outputs(half.net, half.preprocessing, half.spec.task), single)
            <= TOLERANCE[dtype]
        )
