"""Checks of a plugin as a whole: what it does when it is looked at, what it says of itself, what its values name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import Any

from zoo.build import resolved
from zoo.discovery import OWN_DISTRIBUTION, Plugin
from zoo.entrypoint import Point
from zoo.errors import ZooError, listed
from zoo.shelves import SHELVES
from zoo.source import Source
from zoo.spec import Command, DatasetSpec, EncoderSpec, Experiment, ModelSpec
from zoo.testing.fresh import alone, last_line
from zoo.testing.report import CheckFailure, NotApplicable, require

HEAVY = (
    *("torch", "torchvision", "torchmetrics", "torch_geometric", "timm", "accelerate", "safetensors", "numpy"),
    *("scipy", "sklearn", "pandas", "pyarrow", "matplotlib", "PIL", "huggingface_hub"),
)
IMPORT_STRINGS: dict[type, tuple[str, ...]] = {
    ModelSpec: ("build", "foreign"),
    **dict.fromkeys((EncoderSpec, DatasetSpec, Command), ("build",)),
    Source: ("names", "model"),
    Experiment: (),
}
"""Which fields of a value are import strings."""
LOOK = """
import json, os, sys, threading
import zoo.hooks
from zoo.entrypoint import Point
from zoo.offers import Contract

done, target, heavy = [], sys.argv[1], set(sys.argv[2:])

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, (str, bytes, os.PathLike)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            done.append(f"writes {os.fsdecode(path)}")
    elif event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        done.append("uses the network")
    elif event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork"):
        done.append("starts a process")
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir"):
        done.append(f"changes files ({event})")

environment, threads, told = dict(os.environ), threading.active_count(), sys.stdout
sys.dont_write_bytecode = True
sys.addaudithook(watch)
module = Point("it", target).load()
first, second = (Contract().ask("it", module).offers for _ in range(2))
if dict(os.environ) != environment:
    done.append("changes the environment")
if threading.active_count() != threads:
    done.append("starts a thread")
values = [[(type(each).__name__, repr(each)) for each in offers] for offers in (first, second)]
print("\\n" + json.dumps({"done": done, "heavy": sorted(heavy & sys.modules.keys()), "same": values[0] == values[1]}))
"""


@dataclass(frozen=True, kw_only=True)
class PluginSubject:
    """The plugin that is checked."""

    plugin: Plugin

    @cached_property
    def module(self) -> Any:
        """What its entry point names."""
        return Point(self.plugin.name, self.plugin.target).load()

    @cached_property
    def look(self) -> dict[str, Any]:
        """What a fresh process sees when it asks the plugin what it offers."""
        done = alone(LOOK, self.plugin.target, *HEAVY, place=os.getcwd())
        if done.returncode:
            raise CheckFailure(f"a fresh process cannot look at it: {last_line(done)}; import what it needs there")
        said = done.stdout.rstrip("\n").rpartition("\n")
        return {**json.loads(said[2]), "said": (said[0] + done.stderr).strip()}

    @cached_property
    def about(self) -> metadata.PackageMetadata:
        """The metadata of its distribution."""
        return metadata.metadata(self.plugin.distribution)


def ready(subject: PluginSubject) -> None:
    """The plugin is loaded: neither quarantined nor switched off."""
    plugin = subject.plugin
    require(plugin.status != "off", "it is switched off", "take it out of ZOO_PLUGINS")
    require(plugin.status == "ready", f"it is quarantined: {plugin.reason}", "mend that first")


def offers_something(subject: PluginSubject) -> None:
    """Its hooks return at least one value."""
    require(bool(subject.plugin.offers), "its hooks return nothing", "return what the plugin offers")


def contract_is_current(subject: PluginSubject) -> None:
    """It says which contract it was written for, and uses nothing that is to go."""
    notes = subject.plugin.notes
    require(not notes, listed(notes), "the newest zoo's docs/plugins.md tells the present contract")


def nothing_heavy_at_listing(subject: PluginSubject) -> None:
    """Looking at what it offers imports no torch, no numpy and nothing else that is slow."""
    heavy = subject.look["heavy"]
    mend = "name nets by import strings, and import what they need in their own module"
    require(not heavy, f"looking at it imports {listed(heavy)}", mend)


def no_work_at_import(subject: PluginSubject) -> None:
    """Looking at what it offers writes no file, opens no connection and starts no process or thread."""
    done = subject.look["done"]
    require(not done, f"looking at it {listed(dict.fromkeys(done))}", "do that inside a function that is called later")


def silent_at_import(subject: PluginSubject) -> None:
    """Looking at what it offers prints nothing."""
    said = subject.look["said"]
    require(not said, f"looking at it prints {said[:200]!r}", "print nothing outside of a command")


def same_offers_again(subject: PluginSubject) -> None:
    """Its hooks return equal values when they are asked again."""
    require(subject.look["same"], "asked twice, its hooks return two things", "return constant values")


def names_are_its_own(subject: PluginSubject) -> None:
    """No other plugin offers a value of the same name and kind."""
    for kind, shelf in SHELVES.items():
        mine = {value.name for value in subject.plugin.offers}
        for name, owners in shelf.clashes().items():
            others = [owner for owner in owners if owner != subject.plugin.name]
            is_clash = name in mine and subject.plugin.name in owners
            mend = "choose a name of your own, such as one that begins with the plugin's"
            require(not is_clash, f"{kind.removesuffix('s')} {name!r} is offered by {listed(others)} too", mend)


def import_strings_work(subject: PluginSubject) -> None:
    """Everything its values name can be imported."""
    for value in subject.plugin.offers:
        targets = [getattr(value, key) for key in IMPORT_STRINGS[type(value)]]
        for target in filter(lambda text: ":" in text, targets):
            try:
                resolved(target, value.name)
            except ZooError as error:
                raise CheckFailure(f"{error}; correct the import string or the module") from error


def commands_explain_themselves(subject: PluginSubject) -> None:
    """Each command is a click command that says what it does."""
    commands = subject.plugin.offered("commands")
    if not commands:
        raise NotApplicable("it offers no commands")
    for command in commands:
        found = resolved(command.build, command.name)
        is_command = hasattr(found, "get_short_help_str") and hasattr(found, "make_context")
        require(is_command, f"{command.build} is no click command", "decorate it with @click.command()")
        require(bool(found.help), f"the command {command.name!r} has no help", "give it a docstring")


def experiments_name_what_exists(subject: PluginSubject) -> None:
    """Rows of its experiments name models, recipes and data sets that are there."""
    experiments = subject.plugin.offered("experiments")
    if not experiments:
        raise NotApplicable("it offers no experiments")
    for experiment in experiments:
        for row in experiment.rows:
            where = f"row {row.label!r} of {experiment.name}"
            data = row.dataset or experiment.dataset
            require(row.model in SHELVES["models"], f"{where} names no model: {row.model!r}", "correct the name")
            require(data in SHELVES["datasets"], f"{where} names no data set: {data!r}", "correct the name")
            SHELVES["models"][row.model].recipe_named(row.recipe)


def distribution_described(subject: PluginSubject) -> None:
    """Its distribution says in one line what it is, and under which licence."""
    about = subject.about
    mend = "fill in description and license under [project] in pyproject.toml"
    require(bool((about["Summary"] or "").strip()), "the distribution has no summary", mend)
    told = [about[key] for key in ("License-Expression", "License") if key in about]
    told += [each for each in about.get_all("Classifier") or () if each.startswith("License ::")]
    require(bool(told), "the distribution names no licence", mend)


def distribution_requires_zoo(subject: PluginSubject) -> None:
    """Its distribution requires zoo, so that installing it is enough."""
    if subject.plugin.distribution == OWN_DISTRIBUTION:
        raise NotApplicable("it comes with zoo")
    needs = [need.lower().replace("_", "-") for need in subject.about.get_all("Requires-Dist") or ()]
    found = any(need.startswith(OWN_DISTRIBUTION) for need in needs)
    require(found, f"the distribution does not require {OWN_DISTRIBUTION}", "add it to dependencies in pyproject.toml")


ORDER: tuple[Callable[[PluginSubject], None], ...] = (
    ready,
    offers_something,
    contract_is_current,
    nothing_heavy_at_listing,
    no_work_at_import,
    silent_at_import,
    same_offers_again,
    names_are_its_own,
    import_strings_work,
    commands_explain_themselves,
    experiments_name_what_exists,
    distribution_described,
    distribution_requires_zoo,
)
PLUGIN_CHECKS = {check.__name__: check for check in ORDER}
"""Every check of a plugin as a whole by name, in the order they run."""
