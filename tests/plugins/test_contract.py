"""The contract with plugins lasts: old plugins work on, what is to go warns, and no order of installing matters."""

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
    """Install the frozen plugin: a wheel is installed by unpacking it."""
    site = tmp_path_factory.mktemp("frozen") / "site"
    with zipfile.ZipFile(FROZEN) as wheel:
        wheel.extractall(site)
    return site


def test_the_frozen_plugin_is_never_built_again():
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


# What is new, and what is to go


def deprecation_warning(subject, *, removed_in, instead):
    return DeprecationWarning(f"{subject} is deprecated and goes with plugin API {removed_in}; {instead}")


class Tomorrow:
    """Hooks of a zoo to come: one argument more, one that is to go, and a hook that is to go."""

    mark = pluggy.HookspecMarker("zoo")

    @staticmethod
    def module():
        made = types.ModuleType("tomorrow")
        gone = deprecation_warning("zoo_models(host=...)", removed_in=3, instead="take `context` instead")
        old = deprecation_warning("the hook zoo_datasets", removed_in=3, instead="offer them as zoo_collections")

        @Tomorrow.mark(warn_on_impl_args={"host": gone})
        def zoo_models(context, host):
            """Return models."""

        @Tomorrow.mark(warn_on_impl=old)
        def zoo_datasets(host):
            """Return data sets."""

        made.zoo_models, made.zoo_datasets = zoo_models, zoo_datasets
        return made


def planted(**functions):
    module = types.ModuleType("planted")
    vars(module).update({"zoo_api": 1, **{name: face.hookimpl(function) for name, function in functions.items()}})
    return module


SPEC = face.ModelSpec(name="planted-7x7", summary="", build="builtins:list", size=(7, 7))


def test_a_hook_takes_the_host_by_name_or_nothing():
    seen = []
    with_host = planted(zoo_models=lambda host: seen.append(host) or [SPEC])
    assert Contract().collect("it", with_host, version="1.2.3").offers == (SPEC,)
    assert Contract().collect("it", planted(zoo_models=lambda: [SPEC])).offers == (SPEC,)
    assert (seen[0].version, seen[0].api) == ("1.2.3", hooks.API_VERSION)


def test_an_argument_that_is_to_go_works_and_warns_with_the_version_that_drops_it():
    tomorrow = Contract(Tomorrow.module(), supported_api=(1, 2), extra_arguments={"context": "new"})
    answer = tomorrow.collect("it", planted(zoo_models=lambda host: [SPEC]))
    assert answer.offers == (SPEC,)
    assert any("zoo_models(host=...) is deprecated and goes with plugin API 3" in note for note in answer.notes)


def test_a_hook_that_is_to_go_works_and_warns_with_the_version_that_drops_it():
    tomorrow = Contract(Tomorrow.module(), supported_api=(1, 2), extra_arguments={"context": "new"})
    answer = tomorrow.collect("it", planted(zoo_datasets=lambda: []))
    assert any("the hook zoo_datasets is deprecated and goes with plugin API 3" in note for note in answer.notes)


def test_a_plugin_of_the_version_before_works_and_is_told_when_that_ends():
    tomorrow = Contract(Tomorrow.module(), supported_api=(1, 2), extra_arguments={"context": "new"})
    answer = tomorrow.collect("it", planted(zoo_models=lambda: [SPEC]))
    assert answer.offers == (SPEC,)
    assert answer.notes == (
        "it is written for plugin API 1, this zoo speaks 1 to 2; plugin API 3 drops 1, "
        "so it needs a version for 2 by then",
    )


def test_a_plugin_of_two_versions_before_is_refused():
    with pytest.raises(PluginError, match="written for plugin API 1, this zoo speaks 2 to 3; upgrade the plugin"):
        Contract(supported_api=(2, 3)).collect("it", planted(zoo_models=lambda: [SPEC]))


def test_a_plugin_that_fails_leaves_nothing_for_the_next():
    contract = Contract()
    with pytest.raises(ZeroDivisionError):
        contract.collect("bad", planted(zoo_models=lambda: 1 / 0))
    assert contract.collect("good", planted(zoo_models=lambda: [SPEC])).offers == (SPEC,)


def test_20_shuffled_orders_of_installing_into_one_folder_give_the_same_shelf(tmp_path, figure):
    """Installing a wheel is unpacking it; two plugins share a name, two a model, and one is broken."""
    made = [
        plugin(f"zoo-{name}", make_plugin_source(f"{name}-small", "shared-small")) for name in ("ape", "bee", "cow")
    ]
    made += [plugin("zoo-dog", make_plugin_source("dog-small"), point="zoo_ape"), plugin("zoo-eel", "1 / 0")]
    wheels, shuffled = [each.wheel(tmp_path) for each in made], random.Random(0)
    seen = set()
    for number in range(20):
        shuffled.shuffle(wheels)
        for path in wheels:
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(tmp_path / f"site{number}")
        seen.add(json.dumps(looked(tmp_path / f"site{number}")))
    (found,) = seen
    plugins, keys, clashes = json.loads(found)
    figure(f"20 shuffled orders of installing {len(made)} plugins: {len(seen)} shelf, of {len(keys)} models")
    assert list(clashes) == ["shared-small"]
    assert {name for name, *_ in plugins} > {"zoo_ape@zoo-ape", "zoo_ape@zoo-dog", "zoo_bee", "zoo_eel"}


def looked(site):
    """Return what is on the shelf in a fork of this process, which has another folder in front of what is installed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            warnings.simplefilter("ignore")  # that they declare no zoo_api
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
        found = json.load(pipe)
    os.waitpid(child, 0)
    return found


def test_only_a_source_has_names_with_a_prefix():
    thief = face.ModelSpec(name="timm:resnet18", summary="", build="builtins:list", size=(7, 7))
    with pytest.raises(PluginError, match="only a source has names with a prefix"):
        Contract().collect("it", planted(zoo_models=lambda: [thief]))


def test_the_warning_names_plugin_distribution_and_version(tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(
        plugin("zoo-silent", make_plugin_source("silent-small"), version="3.1").wheel(tmp_path)
    ) as wheel:
        wheel.extractall(site)
    done = zoo("list", path=(site,), PYTHONWARNINGS="always::DeprecationWarning")
    assert "plugin zoo_silent of zoo-silent 3.1: it declares no zoo_api" in done.stderr
    assert "DeprecationWarning" not in zoo("list", path=(site,)).stderr


# The order of installing

SHELF = """
import json, zoo
from zoo.plugins.catalog import CATALOG

def owner(name):
    try:
        return zoo.models.owner(name)
    except zoo.ZooError as error:
        return str(error)

plugins = [(each.name, each.distribution, each.status, each.reason) for each in CATALOG.plugins()]
names = ["one", "two", "shared", "gcn-7x7", "zoo_b:shared"]
print(json.dumps([plugins, list(zoo.models), zoo.models.clashes(), [owner(name) for name in names]]))
"""


def test_20_shuffled_orders_of_installing_give_the_same_shelf(tmp_path):
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
    order, outcomes = random.Random(0), []
    for attempt in range(20):
        order.shuffle(wheels)
        site = tmp_path / f"site-{attempt}"
        for path in wheels:
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(site)
        outcomes.append(script(SHELF, (site,)))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    owners = outcomes[0][3]
    assert owners[:2] == ["zoo_a@zoo-a", "zoo_b"]
    assert owners[2] == "2 plugins offer the model 'shared'; choose one: zoo_a@zoo-a:shared, zoo_b:shared"
    assert owners[3:] == ["zoo_grid_gcn", "zoo_b"]


def test_nothing_of_zoos_own_is_to_go():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from zoo.plugins.catalog import CATALOG

        assert not [note for each in CATALOG.plugins() if each.is_first_party for note in each.notes]
