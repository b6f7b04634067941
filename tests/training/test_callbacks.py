"""A plugin offers callbacks by name."""

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
    made = Plugin(name="mine", distribution="zoo-mine", version="1", target="mine", offers=offers)
    monkeypatch.setattr(CATALOG, "_plugins", (*CATALOG.plugins(), made))
    monkeypatch.setattr(CATALOG, "_offers", {})


def test_a_callback_is_found_by_name_and_watches():
    SEEN.clear()
    train = zoo.dataset("fashion-mnist-7x7").train.take(128)
    model = zoo.create("gcn-7x7", seed=0).fit(train, epochs=5, callbacks=["witness"], progress=False)
    assert (SEEN, model.history.stopped) == ([1, 2], "enough")


def test_they_stand_on_a_shelf_with_their_owner():
    assert {"witness", "broken"} <= set(callbacks)
    assert callbacks.owner("witness") == "mine"


def test_one_that_is_not_there_or_cannot_be_made_says_so():
    with pytest.raises(UnknownNameError, match="did you mean witness"):
        resolve_callback("witnes")
    with pytest.raises(PluginError, match="callback 'broken' of plugin mine cannot be made"):
        resolve_callback("broken")
    own = Witness()
    assert resolve_callback(own) is own


@pytest.mark.parametrize("wanted", [5, Witness()])
def test_what_is_no_list_of_callbacks_is_refused(wanted):
    with pytest.raises(ConfigError, match="callbacks is a list of callbacks or of names"):
        resolve_callbacks(wanted)
    assert [type(each) for each in resolve_callbacks("witness")] == [Witness]
