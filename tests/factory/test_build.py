"""A config is the builder's signature: bound, typed, complete."""

import pytest
from torch import nn

import zoo
from zoo.errors import ConfigError, PluginError
from zoo.factory.build import bind_config, build_net
from zoo.plugins.import_string import import_object


def spec(build, **fields):
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


def test_defaults_spec_and_caller_are_laid_over_each_other():
    assert bind_config(spec("Typed", config={"rate": 0.1}), {"hidden": [8, 9]}) == {
        "size": (7, 7),
        "hidden": (8, 9),
        "rate": 0.1,
        "name": None,
    }


def test_one_number_is_a_square():
    assert bind_config(spec("Typed"), {"size": 5})["size"] == (5, 5)


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
        bind_config(spec("Typed"), config)


def test_a_misspelt_option_is_refused_with_the_near_one():
    with pytest.raises(ConfigError, match="did you mean hidden"):
        bind_config(spec("Typed"), {"hiden": (8,)})


def test_an_option_without_a_value_is_asked_for():
    with pytest.raises(ConfigError, match=r"needs a value for 'secret'"):
        bind_config(spec("Needy"), {})


@pytest.mark.parametrize(
    ("target", "message"),
    [("Greedy", "kwargs"), ("Missing", "cannot be imported"), ("nowhere.at:all", "cannot be imported")],
)
def test_a_builder_that_cannot_be_used_is_the_plugins_fault(target, message):
    broken = (
        spec(target) if ":" not in target else zoo.ModelSpec(name="subject", summary="s", build=target, size=(7, 7))
    )
    with pytest.raises(PluginError, match=message):
        bind_config(broken, {})


def test_a_builder_that_fails_says_with_which_config():
    with pytest.raises(ConfigError, match="ZeroDivisionError: by design"):
        build_net(spec("Failing"), {}, seed=0)


def test_a_builder_that_returns_no_module_is_refused():
    with pytest.raises(PluginError, match=r"not a torch\.nn\.Module"):
        build_net(spec("no_module"), {}, seed=0)


def test_nested_names_resolve():
    assert import_object("zoo.signature:Classes.of", "it")([1, 2]).names == ("1", "2")


def test_a_builder_completes_the_config_of_what_its_own_config_names():
    assert bind_config(spec("Nested"), {}) == {"part": "small", "options": (("depth", 2),)}
    given = bind_config(spec("Nested"), {"options": {"width": 3}})
    assert given["options"] == (("depth", 2), ("width", 3))
    assert bind_config(spec("Nested"), given) == given


def test_a_mapping_is_kept_as_pairs_and_typed_as_such():
    with pytest.raises(ConfigError, match="subject takes options as"):
        bind_config(spec("Nested"), {"options": {"depth": "two"}})
