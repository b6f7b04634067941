"""Check a plugin as a whole: its import and its metadata. Each docstring is the claim that the check tests."""

from __future__ import annotations

from collections.abc import Callable

from zoo.errors import join_names
from zoo.plugins.discovery import ZOO_DISTRIBUTION
from zoo.registries import REGISTRIES
from zoo.testing.plugins import targets
from zoo.testing.plugins.subject import PluginSubject
from zoo.testing.report import NotApplicable, require


def ready(subject: PluginSubject) -> None:
    """The plugin is loaded: neither quarantined nor switched off."""
    plugin = subject.plugin
    require(plugin.status != "off", "it is switched off", "remove it from ZOO_PLUGINS")
    problem = f"it is quarantined: {plugin.reason}{subject.error_location}"
    require(plugin.status == "ready", problem, "fix that first")


def offers_something(subject: PluginSubject) -> None:
    """Its hooks return at least one value."""
    if subject.plugin.status != "ready":
        raise NotApplicable("it is not ready")
    require(bool(subject.plugin.offers), "its hooks return nothing", "return what the plugin offers")


def contract_is_current(subject: PluginSubject) -> None:
    """It states the version of the contract that it was written for, and uses nothing deprecated."""
    notes = subject.plugin.notes
    require(not notes, join_names(notes), "see docs/plugins.md of the newest zoo for the current contract")


def nothing_heavy_at_listing(subject: PluginSubject) -> None:
    """Listing what it offers imports no torch, no numpy and no other slow package."""
    heavy = subject.inspection.heavy_imports
    fix = "name nets by import strings, and import what they need in their own module"
    require(not heavy, f"listing what it offers imports {join_names(heavy)}", fix)


def no_work_at_import(subject: PluginSubject) -> None:
    """Listing what it offers writes no file, opens no connection and starts no process or thread."""
    effects = dict.fromkeys(subject.inspection.side_effects)
    require(
        not effects, f"listing what it offers {join_names(effects)}", "move that into a function that is called later"
    )


def silent_at_import(subject: PluginSubject) -> None:
    """Listing what it offers prints nothing."""
    output = subject.inspection.output
    require(not output, f"listing what it offers prints {output[:200]!r}", "print nothing outside of a command")


def same_offers_again(subject: PluginSubject) -> None:
    """Its hooks return equal values when they are called again."""
    require(subject.inspection.same_offers, "two calls of its hooks return different values", "return constant values")


def names_are_its_own(subject: PluginSubject) -> None:
    """No other plugin offers a value of the same name and kind."""
    own_names = {value.name for value in subject.plugin.offers}
    fix = "choose a name of your own, such as one that begins with the plugin's"
    for kind, registry in REGISTRIES.items():
        for name, owners in registry.clashes().items():
            others = [owner for owner in owners if owner != subject.plugin.name]
            is_clash = name in own_names and subject.plugin.name in owners
            require(not is_clash, f"{kind.removesuffix('s')} {name!r} is offered by {join_names(others)} too", fix)


def distribution_described(subject: PluginSubject) -> None:
    """Its distribution has a summary and names its licence."""
    about = subject.distribution_metadata
    fix = "fill in description and license under [project] in pyproject.toml"
    require(bool((about["Summary"] or "").strip()), "the distribution has no summary", fix)
    licences = [about[key] for key in ("License-Expression", "License") if key in about]
    licences += [each for each in about.get_all("Classifier") or () if each.startswith("License ::")]
    require(bool(licences), "the distribution names no licence", fix)


def distribution_requires_zoo(subject: PluginSubject) -> None:
    """Its distribution requires zoo, so that installing it is enough."""
    if subject.plugin.distribution == ZOO_DISTRIBUTION:
        raise NotApplicable("it is part of zoo")
    needs = [need.lower().replace("_", "-") for need in subject.distribution_metadata.get_all("Requires-Dist") or ()]
    requires_zoo = any(need.startswith(ZOO_DISTRIBUTION) for need in needs)
    fix = "add it to dependencies in pyproject.toml"
    require(requires_zoo, f"the distribution does not require {ZOO_DISTRIBUTION}", fix)


PLUGIN_ORDER: tuple[Callable[[PluginSubject], None], ...] = (
    ready,
    offers_something,
    contract_is_current,
    nothing_heavy_at_listing,
    no_work_at_import,
    silent_at_import,
    same_offers_again,
    names_are_its_own,
    targets.import_strings_work,
    targets.commands_explain_themselves,
    targets.callbacks_watch,
    targets.experiments_name_what_exists,
    distribution_described,
    distribution_requires_zoo,
)
PLUGIN_CHECKS = {check.__name__: check for check in PLUGIN_ORDER}
"""Every check of a plugin as a whole by name, in the order they run."""
