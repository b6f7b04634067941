"""A third party's encoder as its own distribution: built, installed, used by name, published, and missed elsewhere."""

import json

import pytest

from tests.hub_server import User, serve
from tests.support.environments import ROOT, Environment, build_wheel

POCKET = ROOT / "examples" / "pocket-plugin"
TOKEN = "hf_AnnMayWriteHere4711"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Build zoo's wheel and the plugin's."""
    return [build_wheel(project, tmp_path_factory.mktemp("wheel")) for project in (ROOT, POCKET)]


@pytest.fixture(scope="module")
def hub():
    """Serve a Hub on this machine."""
    with serve(tokens={TOKEN: User("ann")}) as server:
        yield server


@pytest.fixture(scope="module")
def workshop(wheels, hub, tmp_path_factory):
    """An environment with zoo and the plugin, and a right to publish."""
    place = tmp_path_factory.mktemp("workshop")
    settings = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(place / "home")}
    return Environment.create(place / "venv", *wheels, **settings)


@pytest.fixture(scope="module")
def elsewhere(wheels, hub, tmp_path_factory):
    """An environment with zoo alone."""
    place = tmp_path_factory.mktemp("elsewhere")
    settings = {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(place / "home")}
    return Environment.create(place / "venv", wheels[0], **settings, PIP_FIND_LINKS=str(wheels[1].parent))


@pytest.fixture(scope="module")
def trained(workshop):
    """Train and save a model through the encoder, from the shell."""
    words = ("graph-classifier", "fashion-mnist-7x7", "--config", "encoder=pocket", "--config", "size=7")
    recipe = ("--epochs", "1", "--set", "batch_size=512", "--seed", "0", "--license", "mit", "--save", "./pocket")
    return workshop.run("zoo", "fit", *words, *recipe, "--quiet", "--json").stdout


def test_the_encoder_is_listed_with_its_plugin_and_passes_the_kit(workshop, figure):
    rows = json.loads(workshop.run("zoo", "list", "encoders", "--json").stdout)
    assert {"pocket": "zoo_pocket"}.items() <= {row["name"]: row["plugin"] for row in rows}.items()
    record = json.loads(workshop.run("zoo", "plugins", "check", "zoo-pocket", "--json").stdout)
    figure(f"zoo-pocket: {record['checks']} checks ran, {record['held']} held")
    assert record["held"] == record["checks"] >= 20


def test_zoo_and_the_plugin_come_from_their_wheels(workshop):
    source = "import zoo, zoo_pocket; print(zoo.__file__, zoo_pocket.__file__)"
    for path in workshop.run("python", "-c", source).stdout.split():
        assert path.startswith(str(workshop.place))


def test_a_model_is_trained_saved_and_loaded_through_it_from_the_shell(workshop, trained):
    assert json.loads(trained)["test"]["accuracy"] > 0.2
    assert workshop.run("zoo", "evaluate", "./pocket", "fashion-mnist-7x7").stdout.startswith("accuracy")


def test_a_model_is_trained_saved_and_loaded_through_it_from_python(workshop):
    source = """
import zoo
images = zoo.dataset("fashion-mnist-7x7").train.take(200, seed=0)
model = zoo.create("graph-classifier", encoder="pocket", options={"openness": 1.0}, size=7, seed=0)
again = zoo.load(model.fit(images, epochs=1, progress=False).save("from-python"))
assert (again.predict(images) == model.predict(images)).all()
print(dict(again.config["options"]), again.config["encoder"])
"""
    assert workshop.run("python", "-c", source).stdout.strip() == "{'openness': 1.0} zoo_pocket:pocket"


def test_what_was_pushed_loads_elsewhere_once_the_plugin_it_names_is_installed(workshop, elsewhere, trained):
    told = workshop.run("zoo", "push", "./pocket", "ann/pocket").stdout
    assert "ann/pocket" in told
    load = ("python", "-c", "import zoo; print(zoo.load('hf:ann/pocket'))")
    missed = elsewhere.run("zoo", "evaluate", "hf:ann/pocket", "fashion-mnist-7x7", code=1).stderr
    assert "it comes with plugin zoo_pocket, which is not installed: pip install zoo-pocket" in missed
    elsewhere.pip(*missed.rstrip().rpartition("pip ")[2].split()[:2])
    assert elsewhere.run(*load).stdout.startswith("<graph-classifier")
