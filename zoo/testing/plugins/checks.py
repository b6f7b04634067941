"""Checks of a plugin as a whole: what it does when it is looked at, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable

from zoo.errors import join_names
from zoo.plugins.discovery import ZOO_DISTRIBUTION
from zoo.registries import REGISTRIES
from zoo.testing.plugins import targets as naming
from zoo.testing.plugins.subject import PluginSubject
from zoo.testing.report import NotApplicable, require


def ready(subject: PluginSubject) -> None:
    """The plugin is loaded: neither quarantined nor switched off."""
    plugin = subject.plugin
    require(plugin.status != "off", "it is switched off", "take it out of ZOO_PLUGINS")
    require(plugin.status == "ready", f"it is quarantined: {plugin.reason}{subject.error_location}", "mend that first")


def offers_something(subject: PluginSubject) -> None:
    """Its hooks return at least one value."""
    if subject.plugin.status != "ready":
        raise NotApplicable("it is not ready")
    require(bool(subject.plugin.offers), "its hooks return nothing", "return what the plugin offers")


def contract_is_current(subject: PluginSubject) -> None:
    """It says which contract it was written for, and uses nothing that is to go."""
    notes = subject.plugin.notes
    require(not notes, join_names(notes), "the newest zoo's docs/plugins.md tells the present contract")


def nothing_heavy_at_listing(subject: PluginSubject) -> None:
    """Looking at what it offers imports no torch, no numpy and nothing else that is slow."""
    heavy = subject.inspection["heavy"]
    mend = "name nets by import strings, and import what they need in their own module"
    require(not heavy, f"looking at it imports {join_names(heavy)}", mend)


def no_work_at_import(subject: PluginSubject) -> None:
    """Looking at what it offers writes no file, opens no connection and starts no process or thread."""
    done = subject.inspection["done"]
    require(
        not done, f"looking at it {join_names(dict.fromkeys(done))}", "do that inside a function that is called later"
    )


def silent_at_import(subject: PluginSubject) -> None:
    """Looking at what it offers prints nothing."""
    said = subject.inspection["said"]
    require(not said, f"looking at it prints {said[:200]!r}", "print nothing outside of a command")


def same_offers_again(subject: PluginSubject) -> None:
    """Its hooks return equal values when they are asked again."""
    require(subject.inspection["same"], "asked twice, its hooks return two things", "return constant values")


def names_are_its_own(subject: PluginSubject) -> None:
    """No other plugin offers a value of the same name and kind."""
    for kind, shelf in REGISTRIES.items():
        mine = {value.name for value in subject.plugin.offers}
        for name, owners in shelf.clashes().items():
            others = [owner for owner in owners if owner != subject.plugin.name]
            is_clash = name in mine and subject.plugin.name in owners
            mend = "choose a name of your own, such as one that begins with the plugin's"
            require(not is_clash, f"{kind.removesuffix('s')} {name!r} is offered by {join_names(others)} too", mend)


def distribution_described(subject: PluginSubject) -> None:
    """Its distribution says in one line what it is, and under which licence."""
    about = subject.distribution_metadata
    mend = "fill in description and license under [project] in pyproject.toml"
    require(bool((about["Summary"] or "").strip()), "the distribution has no summary", mend)
    told = [about[key] for key in ("License-Expression", "License") if key in about]
    told += [each for each in about.get_all("Classifier") or () if each.startswith("License ::")]
    require(bool(told), "the distribution names no licence", mend)


def distribution_requires_zoo(subject: PluginSubject) -> None:
    """Its distribution requires zoo, so that installing it is enough."""
    if subject.plugin.distribution == ZOO_DISTRIBUTION:
        raise NotApplicable("it comes with zoo")
    needs = [need.lower().replace("_", "-") for need in subject.distribution_metadata.get_all("Requires-Dist") or ()]
    found = any(need.startswith(ZOO_DISTRIBUTION) for need in needs)
    require(found, f"the distribution does not require {ZOO_DISTRIBUTION}", "add it to dependencies in pyproject.toml")


PLUGIN_ORDER: tuple[Callable[[PluginSubject], None], ...] = (
    ready,
    offers_something,
    contract_is_current,
    nothing_heavy_at_listing,
    no_work_at_import,
    silent_at_import,
    same_offers_again,
    names_are_its_own,
    naming.import_strings_work,
    naming.commands_explain_themselves,
    naming.callbacks_watch,
    naming.experiments_name_what_exists,
    distribution_described,
    distribution_requires_zoo,
)
PLUGIN_CHECKS = {check.__name__: check for check in PLUGIN_ORDER}
"""Every check of a plugin as a whole by name, in the order they run."""
