"""The plugin contract is stable: old plugins keep working, deprecations warn, and installing order does not matter."""

import hashlib
import importlib
import json
import os
import random
import sys
import types
import warnings
import zipfile
from pathlib import Path

import pluggy
import pytest

import zoo as face
from tests.support.wheels import Distribution, make_plugin_source, plugin, script, zoo, zoo_json
from zoo.errors import PluginError
from zoo.plugins import hookspecs as hooks
from zoo.plugins.catalog import Catalog
from zoo.plugins.contract import Contract

FROZEN = Path(__file__).parents[1] / "frozen" / "zoo_frozen-1.0-py3-none-any.whl"
SHA256 = "65bbf9f39d93462fc9054d3108c2674c4b2b3bab0f791bba46eed7dcaee9b73e"


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """Install the frozen plugin by unpacking its wheel."""
    site = tmp_path_factory.mktemp("frozen") / "site"
    with zipfile.ZipFile(FROZEN) as wheel:
        wheel.extractall(site)
    return site


def test_the_frozen_plugin_is_unchanged():
    assert hashlib.sha256(FROZEN.read_bytes()).hexdigest() == SHA256


def test_a_plugin_frozen_at_version_1_is_ready_and_offers_every_kind(frozen):
    record = next(each for each in zoo_json("plugins", path=(frozen,))["plugins"] if each["plugin"] == "zoo_frozen")
    assert (record["status"], record["reason"]) == ("ready", "")
    assert record["offers"] == {
        "models": ["frozen-7x7"],
        "encoders": ["frozen"],
        "datasets": ["frozen-dots"],
        "experiments": ["frozen-table"],
        "commands": ["thaw"],
    }


def test_the_frozen_plugins_model_data_encoder_and_command_are_used(frozen, tmp_path):
    accuracy = script(
        f"""
        import json, zoo
        data = zoo.dataset("frozen-dots")
        model = zoo.create("frozen-7x7", classes=2, seed=0).fit(data.train, epochs=60, lr=0.01, progress=False)
        model.save({str(tmp_path / "model")!r})
        graph = zoo.create("graph-classifier", encoder="frozen", size=7, seed=0)
        assert graph.logits(data.test.images).shape == (10, 10)
        print(json.dumps(zoo.load({str(tmp_path / "model")!r}).evaluate(data.test).accuracy))
        """,
        (frozen,),
    )
    assert accuracy == 1.0
    assert zoo("thaw", path=(frozen,)).stdout == "still here\n"


# Additions and deprecations


def make_deprecation_warning(subject, *, removed_in, instead):
    return DeprecationWarning(f"{subject} is deprecated and goes with plugin API {removed_in}; {instead}")


class LaterHooks:
    """The hooks of a later zoo: one more argument, a deprecated argument and a deprecated hook."""

    mark = pluggy.HookspecMarker("zoo")

    @staticmethod
    def make_module():
        module = types.ModuleType("later")
        gone = make_deprecation_warning("zoo_models(host=...)", removed_in=3, instead="take `context` instead")
        old = make_deprecation_warning("the hook zoo_datasets", removed_in=3, instead="offer them as zoo_collections")

        @LaterHooks.mark(warn_on_impl_args={"host": gone})
        def zoo_models(context, host):
            """Return models."""

        @LaterHooks.mark(warn_on_impl=old)
        def zoo_datasets(host):
            """Return data sets."""

        module.zoo_models, module.zoo_datasets = zoo_models, zoo_datasets
        return module


def make_module(**functions):
    module = types.ModuleType("plugin")
    vars(module).update({"zoo_api": 1, **{name: face.hookimpl(function) for name, function in functions.items()}})
    return module


SPEC = face.ModelSpec(name="any-7x7", summary="", build="builtins:list", size=(7, 7))


def test_a_hook_takes_the_host_by_name_or_no_argument():
    hosts = []
    with_host = make_module(zoo_models=lambda host: hosts.append(host) or [SPEC])
    assert Contract().collect("it", with_host, version="1.2.3").offers == (SPEC,)
    assert Contract().collect("it", make_module(zoo_models=lambda: [SPEC])).offers == (SPEC,)
    assert (hosts[0].version, hosts[0].api) == ("1.2.3", hooks.API_VERSION)


def test_a_deprecated_argument_works_and_warns_with_the_version_that_drops_it():
    contract = Contract(LaterHooks.make_module(), supported_api=(1, 2), extra_arguments={"context": "new"})
    results = contract.collect("it", make_module(zoo_models=lambda host: [SPEC]))
    assert results.offers == (SPEC,)
    assert any("zoo_models(host=...) is deprecated and goes with plugin API 3" in note for note in results.notes)


def test_a_deprecated_hook_works_and_warns_with_the_version_that_drops_it():
    contract = Contract(LaterHooks.make_module(), supported_api=(1, 2), extra_arguments={"context": "new"})
    results = contract.collect("it", make_module(zoo_datasets=lambda: []))
    assert any("the hook zoo_datasets is deprecated and goes with plugin API 3" in note for note in results.notes)


def test_a_plugin_for_the_previous_version_works_and_warns_when_that_ends():
    contract = Contract(LaterHooks.make_module(), supported_api=(1, 2), extra_arguments={"context": "new"})
    results = contract.collect("it", make_module(zoo_models=lambda: [SPEC]))
    assert results.offers == (SPEC,)
    assert results.notes == (
        "it is written for plugin API 1, this zoo speaks 1 to 2; plugin API 3 drops 1, "
        "so it needs a version for 2 by then",
    )


def test_a_plugin_for_an_older_version_is_refused():
    with pytest.raises(PluginError, match="written for plugin API 1, this zoo speaks 2 to 3; upgrade the plugin"):
        Contract(supported_api=(2, 3)).collect("it", make_module(zoo_models=lambda: [SPEC]))


def test_a_failing_plugin_does_not_affect_the_next():
    contract = Contract()
    with pytest.raises(ZeroDivisionError):
        contract.collect("bad", make_module(zoo_models=lambda: 1 / 0))
    assert contract.collect("good", make_module(zoo_models=lambda: [SPEC])).offers == (SPEC,)


def test_20_shuffled_orders_of_installing_into_one_folder_give_the_same_registry(tmp_path, figure):
    """Wheels are installed by unpacking. Two plugins share a name, all share a model name, and one is broken."""
    distributions = [
        plugin(f"zoo-{name}", make_plugin_source(f"{name}-small", "shared-small")) for name in ("ape", "bee", "cow")
    ]
    distributions += [plugin("zoo-dog", make_plugin_source("dog-small"), point="zoo_ape"), plugin("zoo-eel", "1 / 0")]
    wheels, generator = [each.wheel(tmp_path) for each in distributions], random.Random(0)
    outcomes = set()
    for number in range(20):
        generator.shuffle(wheels)
        for path in wheels:
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(tmp_path / f"site{number}")
        outcomes.add(json.dumps(read_in_fork(tmp_path / f"site{number}")))
    (outcome,) = outcomes
    plugins, keys, clashes = json.loads(outcome)
    figure(
        f"20 shuffled orders of installing {len(distributions)} plugins: {len(outcomes)} registry of {len(keys)} models"
    )
    assert list(clashes) == ["shared-small"]
    assert {name for name, *_ in plugins} > {"zoo_ape@zoo-ape", "zoo_ape@zoo-dog", "zoo_bee", "zoo_eel"}


def read_in_fork(site):
    """Return (plugins, models, clashes) in a fork of this process, with a folder in front of the import path."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            warnings.simplefilter("ignore")  # the plugins declare no zoo_api
            sys.path.insert(0, str(site))
            importlib.invalidate_caches()
            catalog = Catalog()
            models = catalog.registry("models")
            plugins = [(each.name, each.distribution, each.status, each.reason) for each in catalog.plugins()]
            os.write(writing, json.dumps([plugins, list(models), models.clashes()]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        outcome = json.load(pipe)
    os.waitpid(child, 0)
    return outcome


def test_only_a_source_has_names_with_a_prefix():
    thief = face.ModelSpec(name="timm:resnet18", summary="", build="builtins:list", size=(7, 7))
    with pytest.raises(PluginError, match="only a source has names with a prefix"):
        Contract().collect("it", make_module(zoo_models=lambda: [thief]))


def test_the_warning_names_plugin_distribution_and_version(tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(
        plugin("zoo-silent", make_plugin_source("silent-small"), version="3.1").wheel(tmp_path)
    ) as wheel:
        wheel.extractall(site)
    process = zoo("list", path=(site,), PYTHONWARNINGS="always::DeprecationWarning")
    assert "plugin zoo_silent of zoo-silent 3.1: it declares no zoo_api" in process.stderr
    assert "DeprecationWarning" not in zoo("list", path=(site,)).stderr


# The order of installing

READ_REGISTRY = """
import json, zoo
from zoo.plugins.catalog import CATALOG

def get_owner(name):
    try:
        return zoo.models.owner(name)
    except zoo.ZooError as error:
        return str(error)

plugins = [(each.name, each.distribution, each.status, each.reason) for each in CATALOG.plugins()]
names = ["one", "two", "shared", "gcn-7x7", "zoo_b:shared"]
print(json.dumps([plugins, list(zoo.models), zoo.models.clashes(), [get_owner(name) for name in names]]))
"""


def test_20_shuffled_orders_of_installing_give_the_same_registry(tmp_path):
    distributions = [
        plugin("zoo-a", make_plugin_source("one", "shared")),
        plugin("zoo-b", make_plugin_source("two", "shared", "gcn-7x7")),
        plugin("zoo-c", make_plugin_source("three"), point="zoo_a"),
        plugin("zoo-d", "raise ValueError('broken')"),
        Distribution(
            name="zoo-pair",
            files={"pair_x.py": make_plugin_source("four"), "pair_y.py": make_plugin_source("five")},
            entry_points={"pair_y": "pair_y", "pair_x": "pair_x"},
        ),
    ]
    (tmp_path / "wheels").mkdir()
    wheels = [each.wheel(tmp_path / "wheels") for each in distributions]
    generator, outcomes = random.Random(0), []
    for attempt in range(20):
        generator.shuffle(wheels)
        site = tmp_path / f"site-{attempt}"
        for path in wheels:
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(site)
        outcomes.append(script(READ_REGISTRY, (site,)))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    owners = outcomes[0][3]
    assert owners[:2] == ["zoo_a@zoo-a", "zoo_b"]
    assert owners[2] == "2 plugins offer the model 'shared'; choose one: zoo_a@zoo-a:shared, zoo_b:shared"
    assert owners[3:] == ["zoo_grid_gcn", "zoo_b"]


def test_zoos_own_plugins_use_nothing_deprecated():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from zoo.plugins.catalog import CATALOG

        assert not [note for each in CATALOG.plugins() if each.is_first_party for note in each.notes]
