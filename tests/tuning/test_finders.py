"""The finders train a copy: the model and all random states stay unchanged."""

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


def get_state(model):
    weights = [tensor.clone() for tensor in model.net.state_dict().values()]
    return weights, torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist(), model.net.training


def is_same(first, second):
    return all(torch.equal(*pair) for pair in zip(first[0], second[0], strict=True)) and (
        torch.equal(first[1], second[1]) and first[2:] == second[2:]
    )


@pytest.mark.parametrize("find", [find_lr, find_batch_size])
def test_the_model_and_all_random_states_stay_unchanged(data, find):
    model = zoo.create("cnn-7x7", seed=0)
    before = get_state(model)
    find(model, data, steps=12)
    assert is_same(before, get_state(model))
    assert not model.history


def test_the_suggested_rate_trains_better_than_those_at_the_ends(data):
    result = find_lr(zoo.create("cnn-7x7", seed=0), data, steps=60)
    assert 1e-4 < result.lr < 0.1
    assert list(result.rates) == sorted(result.rates)
    assert len(result.rates) == len(result.losses) < 60
    assert result == find_lr(zoo.create("cnn-7x7", seed=0), data, steps=60)

    def train(lr):
        return zoo.create("cnn-7x7", seed=0).fit(data, epochs=2, lr=lr, progress=False).history[-1]["loss"]

    assert train(result.lr) < min(train(result.rates[0]), train(0.5))


def test_sizes_are_doubled_until_speed_or_data_end_the_search(data):
    result = find_batch_size(zoo.create("gcn-7x7", seed=0), data, low=16, high=256)
    sizes = list(result.images_per_second)
    assert sizes[0] == 16
    assert sizes == [16 * 2**number for number in range(len(sizes))]
    assert result.fastest in sizes
    assert result.largest == sizes[-1] <= 256
    assert all(speed > 0 for speed in result.images_per_second.values())


def test_impossible_searches_are_refused(data):
    model = zoo.create("gcn-7x7", seed=0)
    for options in ({"low": 1, "high": 0.1}, {"low": "1"}, {"high": float("inf")}):
        with pytest.raises(ConfigError, match="from a low to a higher rate"):
            find_lr(model, data, **options)
    for find, options in ((find_lr, {"steps": 9}), (find_batch_size, {"steps": 0}), (find_batch_size, {"low": 2.5})):
        with pytest.raises(ConfigError, match=f"{next(iter(options))} is an integer of at least"):
            find(model, data, **options)
    with pytest.raises(ConfigError, match="high=4 is less than low=8"):
        find_batch_size(model, data, high=4)
    with pytest.raises(ConfigError, match="diverged at once"):
        find_lr(zoo.create("cnn-7x7", seed=0), data, low=1e20, high=1e30)
    with pytest.raises(ConfigError, match="not even a batch of 1024 fits"):
        find_batch_size(model, data, low=1024)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data.images, data.labels), batch_size=64)
    with pytest.raises(ConfigError, match="sets its own batch size"):
        find_batch_size(model, loader)
