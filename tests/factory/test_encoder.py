"""Encoders by name, third-party ones too: names that stay unambiguous, and clear errors when one is missing."""

import json

import pytest
import torch
from torch import nn

import zoo
from zoo.errors import ConfigError, PluginError, UnknownNameError
from zoo.factory.encoder import bind_options, build_encoder, qualify_name
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import Plugin


class Shared(nn.Module):
    """A third-party encoder: a linear map of every node."""

    def __init__(self, width: int, gain: float = 1.0):
        super().__init__()
        self.layer = nn.Linear(width, width)
        self.gain = gain

    def forward(self, nodes, graph):
        return self.gain * self.layer(nodes)


def make_plugin(name, spec_name, **fields):
    spec = zoo.EncoderSpec(name=spec_name, summary="third-party", build=f"{__name__}:Shared")
    fields = {"distribution": f"dist-{name}", "version": "1", "target": __name__, "offers": (spec,), **fields}
    return Plugin(name=name, **fields)


@pytest.fixture
def install(monkeypatch):
    """Install plugins in addition to the installed ones."""
    before = CATALOG.plugins()

    def add(*plugins):
        monkeypatch.setattr(CATALOG, "_plugins", (*before, *plugins))
        monkeypatch.setattr(CATALOG, "_offers", {})

    return add


def test_a_third_party_encoder_works_by_name(install):
    install(make_plugin("zoo_mine", "shared"))
    model = zoo.create("graph-classifier", encoder="shared", options={"gain": 2}, width=8, seed=0)
    assert model.logits(torch.zeros(1, 1, 7, 7, dtype=torch.uint8)).shape == (1, 10)
    assert model.config["encoder"] == "zoo_mine:shared"
    assert model.config["options"] == (("gain", 2),)


def test_a_saved_model_finds_its_encoder_when_another_plugin_offers_the_name_later(install, tmp_path):
    install(make_plugin("zoo_mine", "shared"))
    folder = zoo.create("graph-classifier", encoder="shared", width=8, seed=0).save(tmp_path / "model")
    install(make_plugin("zoo_mine", "shared"), make_plugin("zoo_other", "shared"))
    assert zoo.load(folder).config["encoder"] == "zoo_mine:shared"
    with pytest.raises(zoo.ZooError, match="2 plugins offer the encoder 'shared'"):
        zoo.create("graph-classifier", encoder="shared")


def test_the_manifest_names_the_encoder_and_its_options(install, tmp_path):
    folder = zoo.create("gps-7x7", seed=0).save(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())["config"]
    assert config["encoder"] == "gps"
    assert ["heads", 2] in config["options"]


def test_encoders_of_zoo_keep_their_bare_name(install):
    install(make_plugin("zoo_mine", "gcn"))
    assert qualify_name("gcn") == "gcn"
    assert qualify_name("zoo_mine:gcn") == "zoo_mine:gcn"
    assert qualify_name("zoo_graph_encoders:gcn") == "gcn"


@pytest.mark.parametrize(
    ("later", "message"),
    [
        ((), "'shared' is missing: it comes with plugin zoo_mine, which is not installed"),
        ((make_plugin("zoo_mine", "other"),), "'shared' is missing: zoo_mine 1 does not offer it"),
        ((make_plugin("zoo_mine", "shared", status="off", offers=()),), "zoo_mine is turned off by ZOO_PLUGINS"),
        (
            (make_plugin("zoo_mine", "shared", status="quarantined", reason="it broke", offers=()),),
            "quarantined: it broke",
        ),
    ],
)
def test_loading_without_the_encoder_names_it_and_its_plugin(install, tmp_path, later, message):
    install(make_plugin("zoo_mine", "shared"))
    folder = zoo.create("graph-classifier", encoder="shared", width=8, seed=0).save(tmp_path / "model")
    install(*later)
    with pytest.raises(UnknownNameError, match=message):
        zoo.load(folder)


def test_a_misspelt_encoder_is_suggested():
    with pytest.raises(UnknownNameError, match=r"no encoder named 'gnc'; did you mean .*gcn"):
        zoo.create("graph-classifier", encoder="gnc")


def test_options_are_the_signature_without_width_and_size():
    assert bind_options("gps", {}) == {"heads": 4, "expansion": 2, "dropout": 0.0}
    assert bind_options("gcn", {}) == {}


def build_nothing(width: int):
    return width


def test_a_builder_that_does_not_return_a_module_is_refused(install):
    spec = zoo.EncoderSpec(name="shared", summary="none", build=f"{__name__}:build_nothing")
    install(make_plugin("zoo_mine", "shared", offers=(spec,)))
    with pytest.raises(PluginError, match="returned int, not a torch"):
        build_encoder("shared", width=4, size=(2, 2))


def test_only_known_symmetries_are_accepted():
    with pytest.raises(ConfigError, match="symmetry is 'D4' or left out"):
        zoo.EncoderSpec(name="x", summary="x", build="a:b", symmetry="C4")
