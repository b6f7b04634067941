"""The values that a plugin offers are checked when they are created, and frozen."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

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


def make_model_spec(**changes):
    return ModelSpec(**{"name": "gcn-7x7", "summary": "", "build": "package.net:Net", "size": (7, 7)} | changes)


def make_dataset_spec(**changes):
    fields = {"name": "digits", "summary": "", "build": "package:read", "classes": ("0", "1"), "size": (8, 8)}
    return DatasetSpec(**fields | {"channels": 1, "counts": {"train": 2}, "license": "CC0-1.0"} | changes)


words = st.text("abcxyz019", min_size=1, max_size=8)


@given(st.lists(words, min_size=1, max_size=6), st.sampled_from("-."))
def test_words_joined_by_hyphens_or_dots_are_a_valid_name(parts, joint):
    check_name(joint.join(parts), "model")


def test_only_a_model_name_may_have_the_prefix_of_a_source():
    assert make_model_spec(name="timm:vit_tiny-2.in1k").name == "timm:vit_tiny-2.in1k"
    with pytest.raises(ConfigError, match="data set name 'a:b' is not lower-case"):
        make_dataset_spec(name="a:b")


@pytest.mark.parametrize("name", ["", "GCN", "gcn_7", "-gcn", "gcn-", "a--b", "a/b", "../a", "a b", "a:", "é", "a\n"])
def test_an_invalid_name_is_refused_by_every_value(name):
    factories = {
        "model": lambda: make_model_spec(name=name),
        "data set": lambda: make_dataset_spec(name=name),
        "encoder": lambda: EncoderSpec(name=name, summary="", build="a:b"),
        "command": lambda: Command(name=name, summary="", build="a:b"),
        "experiment": lambda: Experiment(name=name, summary="", source="", dataset="digits", rows=()),
    }
    for kind, make in factories.items():
        with pytest.raises(ConfigError, match=f"^{kind} name .* is not lower-case"):
            make()


@pytest.mark.parametrize("name", [None, 7, "a" * 81])
def test_a_name_is_a_string_of_at_most_eighty_characters(name):
    with pytest.raises(ConfigError):
        check_name(name, "model")


@pytest.mark.parametrize("build", ["package", "package.net", "package:", ":Net", "a:b()", "a b:c", "os;x:y", None, len])
def test_build_must_be_an_import_string(build):
    with pytest.raises(ConfigError, match="gcn-7x7: build is an import string such as"):
        make_model_spec(build=build)


@pytest.mark.parametrize(
    "make", [make_model_spec, lambda **fields: EncoderSpec(name="gcn", summary="", build="a:b", **fields)]
)
def test_a_symmetry_is_d4_or_empty(make):
    assert (make().symmetry, make(symmetry="D4").symmetry) == ("", "D4")
    with pytest.raises(ConfigError, match="symmetry is 'D4' or left out, not 'SO2'"):
        make(symmetry="SO2")


def test_a_generator_cannot_declare_a_symmetry():
    with pytest.raises(ConfigError, match="gcn-7x7 generates images; leave symmetry out"):
        make_model_spec(task="generation", symmetry="D4")


@pytest.mark.parametrize("size", [7, (7,), (7, 7, 7), (0, 7), (7.5, 7), "77", (None, 7)])
def test_a_size_is_two_positive_whole_numbers(size):
    with pytest.raises(ConfigError, match="size is two positive whole numbers"):
        make_model_spec(size=size)


@pytest.mark.parametrize("channels", [0, -1, 1.5, "3", None])
def test_channels_is_a_positive_whole_number(channels):
    with pytest.raises(ConfigError, match="channels is a positive whole number"):
        make_model_spec(channels=channels)


def test_a_resize_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="resize is 'area' or 'sample', not 'nearest'"):
        make_model_spec(resize="nearest")


def test_one_mean_and_std_apply_to_every_channel():
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


def test_a_value_is_immutable():
    spec = make_model_spec(config={"hidden": 8})
    with pytest.raises(FrozenInstanceError):
        spec.name = "other"
    with pytest.raises(TypeError):
        spec.config["hidden"] = 9


def test_a_value_copies_the_mapping_it_is_created_from():
    config = {"hidden": 8}
    spec = make_model_spec(config=config)
    config["hidden"] = 9
    assert spec.config == {"hidden": 8}


def test_a_recipe_is_looked_up_by_name():
    long = Recipe(epochs=90)
    spec = make_model_spec(recipes={"long": long})
    assert spec.get_recipe("long") is long
    assert spec.get_recipe(None) is spec.recipe


def test_an_unknown_recipe_is_refused_with_the_names_there_are():
    with pytest.raises(ConfigError, match="gcn-7x7 has no recipe 'short'; it has long"):
        make_model_spec(recipes={"long": Recipe()}).get_recipe("short")
    with pytest.raises(ConfigError, match="it has only its default"):
        make_model_spec().get_recipe("short")


def test_a_recipe_that_is_not_a_recipe_is_refused():
    with pytest.raises(ConfigError, match="gcn-7x7: long is not a Recipe"):
        make_model_spec(recipes={"long": {"epochs": 90}})


def test_classes_are_numbered_or_named():
    assert Classes.numbered(3) == Classes.of([0, 1, 2], names=["0", "1", "2"])
    assert Classes.of(["cat", "dog"]).names == ("cat", "dog")
    assert len(Classes.of(["cat", "dog"])) == 2


@pytest.mark.parametrize(("values", "names"), [((0, 1), ("cat",)), ((0, 0), ("cat", "dog"))])
def test_classes_with_missing_names_or_equal_values_are_refused(values, names):
    with pytest.raises(LabelError, match="each class has one of each"):
        Classes(values=values, names=names)


@pytest.mark.parametrize(
    "value", [make_model_spec(config={"hidden": 8}), make_dataset_spec(), Row(label="a", model="b", paper={"x": 1.0})]
)
def test_a_value_can_be_copied_and_pickled(value):
    assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value


def test_foreign_is_still_accepted_as_the_name_of_pretrained_config():
    spec = make_model_spec(foreign="package.weights:published")
    assert spec.pretrained_config == "package.weights:published"
    assert replace(spec, summary="changed").pretrained_config == pickle.loads(pickle.dumps(spec)).pretrained_config
    assert "foreign" not in vars(spec)
    with pytest.raises(ConfigError, match="foreign is the former name of pretrained_config; give one of the two"):
        make_model_spec(foreign="a:b", pretrained_config="c:d")
    with pytest.raises(ConfigError, match="pretrained_config is an import string such as"):
        make_model_spec(foreign="package")
