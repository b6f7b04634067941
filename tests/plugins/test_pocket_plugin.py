"""A third party's encoder in its own distribution is built, installed, used by name, and loaded from a Hub."""

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
def publisher(wheels, hub, tmp_path_factory):
    """Create an environment with zoo and the plugin, whose user may publish."""
    folder = tmp_path_factory.mktemp("publisher")
    settings = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(folder / "home")}
    return Environment.create(folder / "venv", *wheels, **settings)


@pytest.fixture(scope="module")
def other(wheels, hub, tmp_path_factory):
    """Create an environment with zoo only."""
    folder = tmp_path_factory.mktemp("other")
    settings = {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(folder / "home")}
    return Environment.create(folder / "venv", wheels[0], **settings, PIP_FIND_LINKS=str(wheels[1].parent))


@pytest.fixture(scope="module")
def trained(publisher):
    """Train and save a model through the encoder, from the shell."""
    words = ("graph-classifier", "fashion-mnist-7x7", "--config", "encoder=pocket", "--config", "size=7")
    recipe = ("--epochs", "1", "--set", "batch_size=512", "--seed", "0", "--license", "mit", "--save", "./pocket")
    return publisher.run("zoo", "fit", *words, *recipe, "--quiet", "--json").stdout


def test_the_encoder_is_listed_with_its_plugin_and_passes_the_kit(publisher, figure):
    rows = json.loads(publisher.run("zoo", "list", "encoders", "--json").stdout)
    assert {"pocket": "zoo_pocket"}.items() <= {row["name"]: row["plugin"] for row in rows}.items()
    record = json.loads(publisher.run("zoo", "plugins", "check", "zoo-pocket", "--json").stdout)
    figure(f"zoo-pocket: {record['checks']} checks ran, {record['passed']} passed")
    assert record["passed"] == record["checks"] >= 20


def test_zoo_and_the_plugin_come_from_their_wheels(publisher):
    source = "import zoo, zoo_pocket; print(zoo.__file__, zoo_pocket.__file__)"
    for path in publisher.run("python", "-c", source).stdout.split():
        assert path.startswith(str(publisher.root))


def test_a_model_is_trained_saved_and_loaded_through_it_from_the_shell(publisher, trained):
    assert json.loads(trained)["test"]["accuracy"] > 0.2
    assert publisher.run("zoo", "evaluate", "./pocket", "fashion-mnist-7x7").stdout.startswith("accuracy")


def test_a_model_is_trained_saved_and_loaded_through_it_from_python(publisher):
    source = """
import zoo
images = zoo.dataset("fashion-mnist-7x7").train.take(200, seed=0)
model = zoo.create("graph-classifier", encoder="pocket", options={"openness": 1.0}, size=7, seed=0)
loaded = zoo.load(model.fit(images, epochs=1, progress=False).save("from-python"))
assert (loaded.predict(images) == model.predict(images)).all()
print(dict(loaded.config["options"]), loaded.config["encoder"])
"""
    assert publisher.run("python", "-c", source).stdout.strip() == "{'openness': 1.0} zoo_pocket:pocket"


def test_a_pushed_model_loads_in_another_environment_once_its_plugin_is_installed(publisher, other, trained):
    output = publisher.run("zoo", "push", "./pocket", "ann/pocket").stdout
    assert "ann/pocket" in output
    load = ("python", "-c", "import zoo; print(zoo.load('hf:ann/pocket'))")
    error = other.run("zoo", "evaluate", "hf:ann/pocket", "fashion-mnist-7x7", code=1).stderr
    assert "it comes with plugin zoo_pocket, which is not installed: pip install zoo-pocket" in error
    other.pip(*error.rstrip().rpartition("pip ")[2].split()[:2])
    assert other.run(*load).stdout.startswith("<graph-classifier")
