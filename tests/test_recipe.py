"""Every field of a recipe is validated, and a recipe survives JSON."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo.recipe import OPTIMIZERS, PRECISIONS, SCHEDULES, Recipe

counts = st.integers(1, 10**6)
positive = st.floats(0, 1e6, exclude_min=True)
unit = st.floats(0, 0.9)
FIELDS = {
    "epochs": counts,
    "batch_size": counts,
    "optimizer": st.sampled_from(OPTIMIZERS),
    "lr": positive,
    "momentum": unit,
    "betas": st.tuples(unit, unit),
    "weight_decay": st.floats(0, 1),
    "schedule": st.sampled_from(SCHEDULES),
    "gamma": st.floats(0, 1, exclude_min=True),
    "warmup": st.floats(0, 10),
    "clip": st.none() | positive,
    "class_weights": st.none() | st.just("balanced") | st.lists(positive, min_size=1, max_size=4).map(tuple),
    "augment": st.lists(st.sampled_from(["flip", "shift:2", "erase"]), max_size=3).map(tuple),
    "precision": st.sampled_from(PRECISIONS),
    "compile": st.booleans(),
    "validation": unit,
    "split": st.sampled_from(["stratified", "random", "ordered"]),
    "monitor": st.text(max_size=10),
    "patience": st.none() | counts,
    "time_limit": st.none() | positive,
    "seed": st.none() | st.integers(0, 2**63 - 1),
}
recipes = st.fixed_dictionaries({}, optional=FIELDS).map(lambda values: Recipe(**values))


@given(recipes)
def test_a_recipe_survives_json(recipe):
    text = json.dumps(recipe.to_json(), allow_nan=False)
    assert Recipe.from_json(json.loads(text)) == recipe


@given(recipes)
def test_json_has_every_field_so_that_a_new_default_changes_nothing(recipe):
    assert recipe.to_json().keys() == Recipe.__dataclass_fields__.keys()


@given(recipes, counts)
def test_replace_changes_one_field_of_a_copy(recipe, epochs):
    before = recipe.to_json()
    assert recipe.replace(epochs=epochs).to_json() == before | {"epochs": epochs}
    assert recipe.to_json() == before


NUMERIC = sorted(name for name, each in Recipe.__dataclass_fields__.items() if "low" in each.metadata)


@pytest.mark.parametrize("name", NUMERIC)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, -math.inf, 10**400, "1", True, [1]])
def test_a_numeric_field_takes_only_numbers_in_its_range(name, value):
    with pytest.raises(ConfigError, match=f"^{name} is a"):
        Recipe(**{name: value})


@pytest.mark.parametrize("name", ["lr", "gamma", "clip", "time_limit", "epochs", "batch_size", "accumulate"])
def test_a_field_that_must_be_above_zero_refuses_zero(name):
    with pytest.raises(ConfigError, match=f"^{name} is a"):
        Recipe(**{name: 0})


def test_an_integer_may_be_a_float_without_a_fraction():
    assert Recipe(epochs=5.0).epochs == 5
    with pytest.raises(ConfigError, match=r"^epochs is a whole number at least 1, not 2\.5$"):
        Recipe(epochs=2.5)


@pytest.mark.parametrize("name", ["optimizer", "schedule", "precision", "split", "keep"])
@pytest.mark.parametrize("value", ["no-such-choice", None, 1, []])
def test_a_choice_takes_only_its_choices(name, value):
    with pytest.raises(ConfigError, match=f"^{name} is one of"):
        Recipe(**{name: value})


def test_an_unknown_choice_suggests_similar_ones():
    with pytest.raises(ConfigError, match="did you mean adam or adamw"):
        Recipe(optimizer="adamm")


def test_an_unknown_field_suggests_a_similar_one():
    with pytest.raises(ConfigError, match="a recipe has no field 'epoch'; did you mean epochs"):
        Recipe().replace(epoch=3)


def test_a_stored_recipe_with_an_unknown_field_is_refused():
    with pytest.raises(ConfigError, match="a recipe has no field 'import_path'"):
        Recipe.from_json({"epochs": 3, "import_path": "os:system"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nesterov", 1),
        ("compile", "yes"),
        ("shuffle", None),
        ("betas", (0.9,)),
        ("betas", (0.9, 1.0)),
        ("betas", 0.9),
        ("betas", ("a", "b")),
        ("augment", None),
        ("augment", 7),
        ("augment", ["flip", 7]),
        ("monitor", None),
        ("class_weights", "heavy"),
        ("class_weights", ()),
        ("class_weights", (1.0, -1.0)),
        ("class_weights", (1.0, math.inf)),
        ("class_weights", 3),
    ],
)
def test_other_fields_take_only_values_of_their_type(name, value):
    with pytest.raises(ConfigError, match=f"^{name} is "):
        Recipe(**{name: value})


def test_one_augmentation_needs_no_tuple():
    assert Recipe(augment="flip").augment == ("flip",)


def test_nesterov_needs_sgd_with_momentum():
    assert Recipe(optimizer="sgd", momentum=0.9, nesterov=True).nesterov
    with pytest.raises(ConfigError, match="nesterov needs optimizer='sgd' and a momentum above 0"):
        Recipe(optimizer="sgd", nesterov=True)


def test_equal_recipes_have_equal_hashes():
    assert {Recipe(lr=0.1): "slow"}[Recipe().replace(lr=0.1)] == "slow"
