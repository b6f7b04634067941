"""Rates and sizes are found on a copy: the model and all random states stay as they were."""

import random

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import ConfigError
from zoo.tuning.batch_size_finder import find_batch_size
from zoo.tuning.lr_finder import find_lr


@pytest.fixture(scope="module")
def data():
    return zoo.dataset("fashion-mnist-7x7").train.take(640, seed=0)


def all_state(model):
    weights = [tensor.clone() for tensor in model.net.state_dict().values()]
    return weights, torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist(), model.net.training


def same(one, other):
    return all(torch.equal(*pair) for pair in zip(one[0], other[0], strict=True)) and (
        torch.equal(one[1], other[1]) and one[2:] == other[2:]
    )


@pytest.mark.parametrize("find", [find_lr, find_batch_size])
def test_nothing_moves(data, find):
    model = zoo.create("cnn-7x7", seed=0)
    before = all_state(model)
    find(model, data, steps=12)
    assert same(before, all_state(model))
    assert not model.history


def test_the_rate_that_is_found_trains_better_than_those_at_the_ends(data):
    found = find_lr(zoo.create("cnn-7x7", seed=0), data, steps=60)
    assert 1e-4 < found.lr < 0.1
    assert list(found.rates) == sorted(found.rates)
    assert len(found.rates) == len(found.losses) < 60
    assert found == find_lr(zoo.create("cnn-7x7", seed=0), data, steps=60)

    def loss(lr):
        return zoo.create("cnn-7x7", seed=0).fit(data, epochs=2, lr=lr, progress=False).history[-1]["loss"]

    assert loss(found.lr) < min(loss(found.rates[0]), loss(0.5))


def test_sizes_are_doubled_until_speed_or_data_end_it(data):
    found = find_batch_size(zoo.create("gcn-7x7", seed=0), data, low=16, high=256)
    sizes = list(found.images_per_second)
    assert sizes[0] == 16
    assert sizes == [16 * 2**number for number in range(len(sizes))]
    assert found.fastest in sizes
    assert found.largest == sizes[-1] <= 256
    assert all(speed > 0 for speed in found.images_per_second.values())


def test_what_cannot_be_searched_is_refused(data):
    model = zoo.create("gcn-7x7", seed=0)
    for odd in ({"low": 1, "high": 0.1}, {"low": "1"}, {"high": float("inf")}):
        with pytest.raises(ConfigError, match="from a low to a higher rate"):
            find_lr(model, data, **odd)
    for find, odd in ((find_lr, {"steps": 9}), (find_batch_size, {"steps": 0}), (find_batch_size, {"low": 2.5})):
        with pytest.raises(ConfigError, match=f"{next(iter(odd))} is an integer of at least"):
            find(model, data, **odd)
    with pytest.raises(ConfigError, match="high=4 is less than low=8"):
        find_batch_size(model, data, high=4)
    with pytest.raises(ConfigError, match="diverged at once"):
        find_lr(zoo.create("cnn-7x7", seed=0), data, low=1e20, high=1e30)
    with pytest.raises(ConfigError, match="not even a batch of 1024 fits"):
        find_batch_size(model, data, low=1024)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data.images, data.labels), batch_size=64)
    with pytest.raises(ConfigError, match="sets its own batch size"):
        find_batch_size(model, loader)
