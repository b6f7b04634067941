"""The CNNs have the layers of their papers."""

import pytest
import torch

import zoo
from zoo.errors import ConfigError
from zoo_cnn.nets import PooledCNN


@pytest.mark.parametrize(("name", "num_parameters"), [("cnn-simple", 402_986), ("cnn-deep", 334_154)])
def test_the_networks_of_paper_2_have_its_numbers_of_parameters(name, num_parameters):
    assert zoo.create(name, seed=0).num_parameters == num_parameters


@pytest.mark.parametrize(("name", "features"), [("cnn-simple", 3136), ("cnn-deep", 1152)])
def test_the_first_linear_layer_of_paper_2_has_its_number_of_features(name, features):
    net = zoo.create(name, seed=0).net
    assert net.features(torch.zeros(1, 1, 28, 28)).shape == (1, features)
    assert net.head[0].in_features == features


def test_paper_2_splits_by_order_keeps_the_best_epoch_and_does_not_shuffle():
    recipe = zoo.models["cnn-simple"].recipe
    assert (recipe.epochs, recipe.batch_size, recipe.optimizer, recipe.lr, recipe.momentum) == (25, 64, "sgd", 0.01, 0)
    assert (recipe.validation, recipe.split, recipe.shuffle) == (0.2, "ordered", False)
    assert (recipe.keep, recipe.monitor) == ("best", "val_accuracy")


@pytest.mark.parametrize("name", ["cnn-simple", "cnn-deep"])
def test_paper_2_has_its_variant_recipes(name):
    recipes = zoo.models[name].recipes
    assert {key: (recipe.optimizer, recipe.lr) for key, recipe in recipes.items()} == {
        "sgd-0.01": ("sgd", 0.01),
        "sgd-0.1": ("sgd", 0.1),
        "sgd-0.5": ("sgd", 0.5),
        "adam": ("adam", 0.001),
        "cosine": ("adam", 0.001),
    }


@pytest.mark.parametrize(("name", "size"), [("cnn-simple", 1), ("cnn-deep", 7), ("cnn-deep", (28, 5))])
def test_images_too_small_for_the_pools_are_refused(name, size):
    with pytest.raises(ConfigError, match="at least"):
        zoo.create(name, size=size)


@pytest.mark.parametrize(("name", "size"), [("cnn-simple", 2), ("cnn-deep", 8), ("cnn-deep", (9, 31)), ("cnn-7x7", 1)])
def test_the_smallest_and_odd_sizes_work(name, size):
    model = zoo.create(name, size=size, seed=0)
    assert model.predict(torch.zeros(2, 1, *model.preprocessing.size)).shape == (2,)


def test_the_pooled_network_is_invariant_under_translations():
    net = PooledCNN((15, 15)).eval()
    image = torch.zeros(2, 1, 15, 15)
    image[0, :, 4:6, 4:7] = image[1, :, 9:11, 8:11] = 1
    one, other = net(image)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    with pytest.raises(ConfigError, match="at least one convolution"):
        PooledCNN((7, 7), widths=())
