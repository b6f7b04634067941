"""Configs are bound to the signature of the builder, checked and completed."""

import pytest
from torch import nn

import zoo
from zoo.errors import ConfigError, PluginError
from zoo.factory.build import bind_config, build_net
from zoo.plugins.import_string import import_object


def make_spec(build, **fields):
    return zoo.ModelSpec(name="subject", summary="a net", build=f"{__name__}:{build}", size=(7, 7), **fields)


class Typed(nn.Module):
    def __init__(
        self, size: tuple[int, int], hidden: tuple[int, ...] = (4,), rate: float = 0.5, name: str | None = None
    ):
        super().__init__()


class Needy(nn.Module):
    def __init__(self, secret: int):
        super().__init__()


class Greedy(nn.Module):
    def __init__(self, **everything: int):
        super().__init__()


class Nested(nn.Module):
    def __init__(self, part: str = "small", options: tuple[tuple[str, int], ...] = ()):
        super().__init__()

    @staticmethod
    def complete_config(config):
        return {**config, "options": tuple({"depth": 2, **dict(config["options"])}.items())}


class Failing(nn.Module):
    def __init__(self):
        super().__init__()
        raise ZeroDivisionError("by design")


def no_module():
    return 42


def test_the_caller_overrides_the_spec_and_the_spec_the_defaults():
    assert bind_config(make_spec("Typed", config={"rate": 0.1}), {"hidden": [8, 9]}) == {
        "size": (7, 7),
        "hidden": (8, 9),
        "rate": 0.1,
        "name": None,
    }


def test_one_number_is_a_square_size():
    assert bind_config(make_spec("Typed"), {"size": 5})["size"] == (5, 5)


@pytest.mark.parametrize(
    "config",
    [
        {"hidden": "wide"},
        {"hidden": 8},
        {"hidden": (1, "2")},
        {"rate": "fast"},
        {"rate": True},
        {"name": 3},
        {"size": 0},
    ],
    ids=str,
)
def test_a_value_of_another_type_is_refused_by_name(config):
    with pytest.raises(ConfigError, match=next(iter(config))):
        bind_config(make_spec("Typed"), config)


def test_a_misspelt_option_is_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean hidden"):
        bind_config(make_spec("Typed"), {"hiden": (8,)})


def test_a_missing_value_is_refused():
    with pytest.raises(ConfigError, match=r"needs a value for 'secret'"):
        bind_config(make_spec("Needy"), {})


@pytest.mark.parametrize(
    ("target", "message"),
    [("Greedy", "kwargs"), ("Missing", "cannot be imported"), ("nowhere.at:all", "cannot be imported")],
)
def test_an_unusable_builder_is_a_plugin_error(target, message):
    broken = (
        make_spec(target)
        if ":" not in target
        else zoo.ModelSpec(name="subject", summary="s", build=target, size=(7, 7))
    )
    with pytest.raises(PluginError, match=message):
        bind_config(broken, {})


def test_a_failing_builder_is_a_config_error():
    with pytest.raises(ConfigError, match="ZeroDivisionError: by design"):
        build_net(make_spec("Failing"), {}, seed=0)


def test_a_builder_that_does_not_return_a_module_is_refused():
    with pytest.raises(PluginError, match=r"not a torch\.nn\.Module"):
        build_net(make_spec("no_module"), {}, seed=0)


def test_nested_names_resolve():
    assert import_object("zoo.signature:Classes.of", "it")([1, 2]).names == ("1", "2")


def test_a_builder_completes_nested_options():
    assert bind_config(make_spec("Nested"), {}) == {"part": "small", "options": (("depth", 2),)}
    config = bind_config(make_spec("Nested"), {"options": {"width": 3}})
    assert config["options"] == (("depth", 2), ("width", 3))
    assert bind_config(make_spec("Nested"), config) == config


def test_a_mapping_is_stored_as_pairs_and_checked():
    with pytest.raises(ConfigError, match="subject takes options as"):
        bind_config(make_spec("Nested"), {"options": {"depth": "two"}})
