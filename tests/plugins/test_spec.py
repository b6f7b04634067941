"""The values a plugin offers: checked when they are made, and frozen."""

import copy
import pickle
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError, LabelError
from zoo.plugins.experiment_spec import Experiment, Row
from zoo.plugins.spec import (
    Command,
    DatasetSpec,
    EncoderSpec,
    ModelSpec,
    check_name,
)
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing


def model(**changes):
    return ModelSpec(**{"name": "gcn-7x7", "summary": "", "build": "package.net:Net", "size": (7, 7)} | changes)


def dataset(**changes):
    fields = {"name": "digits", "summary": "", "build": "package:read", "classes": ("0", "1"), "size": (8, 8)}
    return DatasetSpec(**fields | {"channels": 1, "counts": {"train": 2}, "license": "CC0-1.0"} | changes)


words = st.text("abcxyz019", min_size=1, max_size=8)


@given(st.lists(words, min_size=1, max_size=6), st.sampled_from("-."))
def test_words_joined_by_hyphens_or_dots_are_a_name(parts, joint):
    check_name(joint.join(parts), "model")


def test_only_a_model_may_have_the_prefix_of_a_source():
    assert model(name="timm:vit_tiny-2.in1k").name == "timm:vit_tiny-2.in1k"
    with pytest.raises(ConfigError, match="data set name 'a:b' is not lower-case"):
        dataset(name="a:b")


@pytest.mark.parametrize("name", ["", "GCN", "gcn_7", "-gcn", "gcn-", "a--b", "a/b", "../a", "a b", "a:", "é", "a\n"])
def test_another_name_is_refused_by_every_value(name):
    makers = {
        "model": lambda: model(name=name),
        "data set": lambda: dataset(name=name),
        "encoder": lambda: EncoderSpec(name=name, summary="", build="a:b"),
        "command": lambda: Command(name=name, summary="", build="a:b"),
        "experiment": lambda: Experiment(name=name, summary="", source="", dataset="digits", rows=()),
    }
    for what, make in makers.items():
        with pytest.raises(ConfigError, match=f"^{what} name .* is not lower-case"):
            make()


@pytest.mark.parametrize("name", [None, 7, "a" * 81])
def test_a_name_is_a_string_of_at_most_eighty_characters(name):
    with pytest.raises(ConfigError):
        check_name(name, "model")


@pytest.mark.parametrize("build", ["package", "package.net", "package:", ":Net", "a:b()", "a b:c", "os;x:y", None, len])
def test_build_is_an_import_string_and_nothing_else(build):
    with pytest.raises(ConfigError, match="gcn-7x7: build is an import string such as"):
        model(build=build)


@pytest.mark.parametrize("make", [model, lambda **fields: EncoderSpec(name="gcn", summary="", build="a:b", **fields)])
def test_a_symmetry_is_that_of_the_square_or_none(make):
    assert (make().symmetry, make(symmetry="D4").symmetry) == ("", "D4")
    with pytest.raises(ConfigError, match="symmetry is 'D4' or left out, not 'SO2'"):
        make(symmetry="SO2")


def test_a_model_that_draws_images_has_no_symmetry():
    with pytest.raises(ConfigError, match="gcn-7x7 draws images; symmetry is of a model that labels them"):
        model(task="generation", symmetry="D4")


@pytest.mark.parametrize("size", [7, (7,), (7, 7, 7), (0, 7), (7.5, 7), "77", (None, 7)])
def test_a_size_is_two_positive_whole_numbers(size):
    with pytest.raises(ConfigError, match="size is two positive whole numbers"):
        model(size=size)


@pytest.mark.parametrize("channels", [0, -1, 1.5, "3", None])
def test_channels_is_a_positive_whole_number(channels):
    with pytest.raises(ConfigError, match="channels is a positive whole number"):
        model(channels=channels)


def test_a_resize_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="resize is 'area' or 'sample', not 'nearest'"):
        model(resize="nearest")


def test_one_mean_and_std_serve_every_channel():
    assert Preprocessing(size=[28, 28], channels=3, mean=0.5, std=[0.2]) == Preprocessing(
        size=(28, 28), channels=3, mean=(0.5,), std=(0.2,)
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("mean", (0.1, 0.2), "mean has 2 numbers for 3 channels"),
        ("std", (), "std has 0 numbers for 3 channels"),
        ("mean", (float("nan"),), "mean is a finite number for each channel"),
        ("std", (float("inf"),), "std is a finite number for each channel"),
        ("std", ("wide",), "std is a finite number for each channel"),
        ("std", (0.0,), "std is above 0"),
    ],
)
def test_mean_and_std_that_cannot_normalise_are_refused(field, value, message):
    with pytest.raises(ConfigError, match=message):
        Preprocessing(size=(8, 8), channels=3, **{field: value})


def test_a_value_cannot_be_changed_after_it_is_made():
    spec = model(config={"hidden": 8})
    with pytest.raises(FrozenInstanceError):
        spec.name = "other"
    with pytest.raises(TypeError):
        spec.config["hidden"] = 9


def test_a_value_does_not_follow_the_mapping_it_was_made_from():
    config = {"hidden": 8}
    spec = model(config=config)
    config["hidden"] = 9
    assert spec.config == {"hidden": 8}


def test_a_recipe_is_found_by_its_name():
    long = Recipe(epochs=90)
    spec = model(recipes={"long": long})
    assert spec.get_recipe("long") is long
    assert spec.get_recipe(None) is spec.recipe


def test_an_unknown_recipe_is_answered_with_those_there_are():
    with pytest.raises(ConfigError, match="gcn-7x7 has no recipe 'short'; it has long"):
        model(recipes={"long": Recipe()}).get_recipe("short")
    with pytest.raises(ConfigError, match="it has only its default"):
        model().get_recipe("short")


def test_a_recipe_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="gcn-7x7: long is a Recipe"):
        model(recipes={"long": {"epochs": 90}})


def test_classes_are_numbered_or_named():
    assert Classes.numbered(3) == Classes.of([0, 1, 2], names=["0", "1", "2"])
    assert Classes.of(["cat", "dog"]).names == ("cat", "dog")
    assert len(Classes.of(["cat", "dog"])) == 2


@pytest.mark.parametrize(("values", "names"), [((0, 1), ("cat",)), ((0, 0), ("cat", "dog"))])
def test_each_class_has_one_value_and_one_name(values, names):
    with pytest.raises(LabelError, match="each class has one of each"):
        Classes(values=values, names=names)


@pytest.mark.parametrize("value", [model(config={"hidden": 8}), dataset(), Row(label="a", model="b", paper={"x": 1.0})])
def test_a_value_can_be_copied_and_sent_to_another_process(value):
    assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
