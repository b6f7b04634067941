"""A registry looks values up by name, refuses ambiguous names and suggests near ones."""

from dataclasses import dataclass

import pytest

from zoo.errors import AmbiguousNameError, UnknownNameError
from zoo.plugins.registry import Registry


@dataclass(frozen=True)
class Animal:
    name: str
    summary: str = ""
    tags: tuple[str, ...] = ()


OTTER = Animal("otter", "swims", ("river",))
LYNX = Animal("lynx", "hunts")
OFFERS = [("forest", LYNX), ("river", OTTER), ("forest", Animal("owl-grey")), ("night", Animal("owl-grey", "hoots"))]


def make_registry(*offers, protected=()):
    return Registry("animal", lambda: list(offers), lambda: frozenset(protected))


def test_a_name_offered_once_is_a_key_and_so_is_its_full_name():
    animals = make_registry(*OFFERS)
    assert animals["otter"] is animals["river:otter"] is OTTER
    assert animals.owner("otter") == "river"


def test_a_full_name_with_the_wrong_plugin_is_unknown():
    with pytest.raises(UnknownNameError, match="no animal named 'forest:otter'"):
        make_registry(*OFFERS)["forest:otter"]


def test_a_misspelt_name_is_refused_with_near_ones():
    with pytest.raises(UnknownNameError) as caught:
        make_registry(*OFFERS)["oter"]
    assert str(caught.value) == "no animal named 'oter'; did you mean otter?"


def test_an_unknown_name_without_near_ones_is_refused_with_all_names():
    with pytest.raises(UnknownNameError) as caught:
        make_registry(("river", OTTER), ("forest", LYNX))["zebra"]
    assert str(caught.value) == "no animal named 'zebra'; there is lynx, otter"


def test_an_empty_registry_says_that_no_plugin_offers_anything():
    with pytest.raises(UnknownNameError, match="there is nothing: no plugin offers any"):
        make_registry()["otter"]


def test_a_name_offered_twice_is_refused_with_both_owners():
    with pytest.raises(AmbiguousNameError) as caught:
        make_registry(*OFFERS)["owl-grey"]
    assert str(caught.value) == "2 plugins offer the animal 'owl-grey'; choose one: forest:owl-grey, night:owl-grey"


def test_a_name_offered_twice_is_listed_by_its_full_names_only():
    animals = make_registry(*OFFERS)
    assert list(animals) == ["lynx", "otter", "forest:owl-grey", "night:owl-grey"]
    assert animals.clashes() == {"owl-grey": ("forest", "night")}
    assert "owl-grey" not in animals


def test_a_protected_owner_keeps_its_name_and_others_have_full_names():
    animals = make_registry(*OFFERS, protected=["night"])
    assert animals.owner("owl-grey") == "night"
    assert list(animals) == ["lynx", "otter", "forest:owl-grey", "owl-grey"]


def test_every_listed_key_is_found_and_counted():
    animals = make_registry(*OFFERS)
    assert len(animals) == len([animals[key] for key in animals]) == len(OFFERS)


def test_the_order_of_plugins_does_not_matter():
    assert list(make_registry(*OFFERS).items()) == list(make_registry(*reversed(OFFERS)).items())


def test_a_registry_is_read_only():
    with pytest.raises(TypeError):
        make_registry(*OFFERS)["otter"] = LYNX


def test_offers_are_loaded_when_the_registry_is_first_read():
    loads = []
    animals = Registry("animal", lambda: loads.append("load") or [("forest", LYNX)], frozenset)
    assert not loads
    assert "lynx" in animals


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", ["lynx", "otter", "owl-grey", "owl-grey"]),
        ("o*", ["otter", "owl-grey", "owl-grey"]),
        ("O*", ["otter", "owl-grey", "owl-grey"]),
        ("forest:*", ["lynx", "owl-grey"]),
        ("[l]ynx", ["lynx"]),
        ("hunt", ["lynx"]),
        ("river", ["otter"]),
        ("zebra", []),
    ],
)
def test_find_takes_a_glob_or_a_text_in_name_summary_or_tags(pattern, names):
    assert [animal.name for animal in make_registry(*OFFERS).find(pattern)] == names


def test_the_repr_lists_the_names():
    assert repr(make_registry(("forest", LYNX), ("river", OTTER))) == "<2 animals: lynx, otter>"


def test_membership_is_false_for_any_other_object():
    assert all(value not in make_registry(*OFFERS) for value in (None, 7, "", ":", "river:", ":otter"))
