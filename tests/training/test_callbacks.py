"""Callbacks of plugins are resolved by name."""

import pytest

import zoo
from zoo import CallbackSpec
from zoo.errors import ConfigError, PluginError, UnknownNameError
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import Plugin
from zoo.registries import callbacks
from zoo.training.session import resolve_callback, resolve_callbacks

SEEN = []


class Witness:
    def on_step(self, training):
        SEEN.append(training.step)

    def on_epoch(self, training):
        training.stop = "enough"


@pytest.fixture(autouse=True)
def plugin(monkeypatch):
    offers = (
        CallbackSpec(name="witness", summary="sees", build="test_callbacks:Witness"),
        CallbackSpec(name="broken", summary="is not there", build="test_callbacks:Nobody"),
    )
    plugin = Plugin(name="mine", distribution="zoo-mine", version="1", target="mine", offers=offers)
    monkeypatch.setattr(CATALOG, "_plugins", (*CATALOG.plugins(), plugin))
    monkeypatch.setattr(CATALOG, "_offers", {})


def test_a_callback_is_resolved_by_name_and_called():
    SEEN.clear()
    train = zoo.dataset("fashion-mnist-7x7").train.take(128)
    model = zoo.create("gcn-7x7", seed=0).fit(train, epochs=5, callbacks=["witness"], progress=False)
    assert (SEEN, model.history.stopped) == ([1, 2], "enough")


def test_callbacks_are_in_a_registry_with_their_owner():
    assert {"witness", "broken"} <= set(callbacks)
    assert callbacks.owner("witness") == "mine"


def test_an_unknown_or_broken_callback_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="did you mean witness"):
        resolve_callback("witnes")
    with pytest.raises(PluginError, match="callback 'broken' of plugin mine cannot be made"):
        resolve_callback("broken")
    callback = Witness()
    assert resolve_callback(callback) is callback


@pytest.mark.parametrize("argument", [5, Witness()])
def test_callbacks_must_be_a_list_or_a_name(argument):
    with pytest.raises(ConfigError, match="callbacks is a list of callbacks or of names"):
        resolve_callbacks(argument)
    assert [type(each) for each in resolve_callbacks("witness")] == [Witness]
