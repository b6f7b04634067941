"""Each optimizer follows the recipe."""

import pytest
import torch

from zoo.errors import ConfigError
from zoo.recipe import Recipe
from zoo.training.optimizer import build_optimizer


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop"])
def test_each_optimizer_takes_its_numbers_from_the_recipe(name):
    optimizer = build_optimizer(Recipe(optimizer=name, lr=0.3, weight_decay=0.2), [torch.nn.Parameter(torch.ones(2))])
    assert type(optimizer).__name__.lower() == name
    assert (optimizer.defaults["lr"], optimizer.defaults["weight_decay"]) == (0.3, 0.2)


def test_frozen_weights_are_left_out_and_a_wholly_frozen_model_is_refused():
    frozen, trained = torch.nn.Parameter(torch.ones(2), requires_grad=False), torch.nn.Parameter(torch.ones(3))
    assert build_optimizer(Recipe(), [frozen, trained]).param_groups[0]["params"] == [trained]
    with pytest.raises(ConfigError, match="frozen"):
        build_optimizer(Recipe(), [frozen])
