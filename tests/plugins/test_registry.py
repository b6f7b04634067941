"""A shelf: values by name, doubles refused, near names suggested."""

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


def shelf(*offers, held=()):
    return Registry("animal", lambda: list(offers), lambda: frozenset(held))


def test_a_name_offered_once_is_found_by_itself_and_by_its_full_name():
    animals = shelf(*OFFERS)
    assert animals["otter"] is animals["river:otter"] is OTTER
    assert animals.owner("otter") == "river"


def test_a_full_name_with_the_wrong_plugin_is_unknown():
    with pytest.raises(UnknownNameError, match="no animal named 'forest:otter'"):
        shelf(*OFFERS)["forest:otter"]


def test_a_misspelt_name_is_answered_with_near_ones():
    with pytest.raises(UnknownNameError) as caught:
        shelf(*OFFERS)["oter"]
    assert str(caught.value) == "no animal named 'oter'; did you mean otter?"


def test_a_name_near_to_none_is_answered_with_the_whole_shelf():
    with pytest.raises(UnknownNameError) as caught:
        shelf(("river", OTTER), ("forest", LYNX))["zebra"]
    assert str(caught.value) == "no animal named 'zebra'; there is lynx, otter"


def test_an_empty_shelf_says_so():
    with pytest.raises(UnknownNameError, match="there is nothing: no plugin offers any"):
        shelf()["otter"]


def test_a_name_offered_twice_is_refused_with_both_owners():
    with pytest.raises(AmbiguousNameError) as caught:
        shelf(*OFFERS)["owl-grey"]
    assert str(caught.value) == "2 plugins offer the animal 'owl-grey'; choose one: forest:owl-grey, night:owl-grey"


def test_a_name_offered_twice_is_listed_by_its_full_names_only():
    animals = shelf(*OFFERS)
    assert list(animals) == ["lynx", "otter", "forest:owl-grey", "night:owl-grey"]
    assert animals.clashes() == {"owl-grey": ("forest", "night")}
    assert "owl-grey" not in animals


def test_a_holder_keeps_its_name_and_the_others_go_by_their_full_names():
    animals = shelf(*OFFERS, held=["night"])
    assert animals.owner("owl-grey") == "night"
    assert list(animals) == ["lynx", "otter", "forest:owl-grey", "owl-grey"]


def test_every_key_that_is_listed_is_found_and_counted():
    animals = shelf(*OFFERS)
    assert len(animals) == len([animals[key] for key in animals]) == len(OFFERS)


def test_the_order_of_plugins_changes_nothing():
    assert list(shelf(*OFFERS).items()) == list(shelf(*reversed(OFFERS)).items())


def test_a_shelf_cannot_be_changed():
    with pytest.raises(TypeError):
        shelf(*OFFERS)["otter"] = LYNX


def test_a_shelf_asks_for_nothing_before_it_is_looked_at():
    asked = []
    animals = Registry("animal", lambda: asked.append("asked") or [("forest", LYNX)], frozenset)
    assert not asked
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
def test_find_takes_a_glob_or_a_word_of_name_summary_or_tags(pattern, names):
    assert [animal.name for animal in shelf(*OFFERS).find(pattern)] == names


def test_a_shelf_shows_what_it_holds():
    assert repr(shelf(("forest", LYNX), ("river", OTTER))) == "<2 animals: lynx, otter>"


def test_anything_may_be_asked_whether_it_is_on_the_shelf():
    assert all(thing not in shelf(*OFFERS) for thing in (None, 7, "", ":", "river:", ":otter"))
