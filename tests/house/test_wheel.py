"""The wheel holds what a user needs, and works where the checkout is not."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import zoo
from tests.support.environments import make_path_file

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_zoo_its_plugins_their_data_and_licences(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert {"zoo/__init__.py", "zoo/py.typed", "zoo_cnn/nets.py", "zoo_grid_gcn/net.py"} <= names
    assert {"zoo/graph/grid.py", "zoo_graph_encoders/classifier.py"} <= names
    assert {"zoo_image_sets/fashion-mnist-7x7.safetensors", "zoo_image_sets/LICENSE-fashion-mnist"} <= names
    assert {f"zoo_weights/gcn-7x7/fashion-mnist/{name}" for name in ("config.json", "model.safetensors")} <= names
    assert not [name for name in names if name.startswith(("tests", "docs", "examples", "plugins"))]
    assert "[zoo]" in points
    for plugin in ("zoo_cnn", "zoo_graph_encoders", "zoo_grid_gcn", "zoo_image_sets", "zoo_resnet"):
        assert f"{plugin} = {plugin}" in points
    assert {
        name.split("/", 1)[1] for name in names if name.startswith("zoo_weights/") and name.endswith("/config.json")
    } == {f"{weights}/config.json" for weights in zoo.trained}
    print(f"the wheel has {wheel.stat().st_size:,} bytes")
    assert wheel.stat().st_size < 20 << 20


def test_the_installed_wheel_trains_saves_and_predicts_from_python_and_the_shell(wheel, tmp_path):
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    script = (
        "import zoo\n"
        f"assert zoo.__file__.startswith({str(site)!r}), zoo.__file__\n"
        "data = zoo.dataset('fashion-mnist-7x7')\n"
        "model = zoo.create('gcn-7x7', seed=0).fit(data.train.take(640), epochs=1, progress=False)\n"
        "model.save('runs/gcn')\n"
    )
    env = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", script], check=True, env=env, cwd=tmp_path)
    evaluate = [sys.executable, "-m", "zoo", "evaluate", "./runs/gcn", "fashion-mnist-7x7"]
    process = subprocess.run(evaluate, check=True, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert process.stdout.startswith("accuracy")


NO_NETWORK = """
import socket

def refused(*arguments, **options):
    raise AssertionError("a connection was tried")

socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refused
"""
OFFLINE = """
import zoo
assert zoo.__file__.startswith({prefix!r}), zoo.__file__
images = zoo.dataset("fashion-mnist-7x7").test.take(1000)
model = zoo.load("gcn-7x7/fashion-mnist")
print((model.predict(images) == [model.classes.values[k] for k in images.labels.tolist()]).mean())
"""


@pytest.fixture(scope="module")
def venv(wheel, tmp_path_factory):
    """Return the Python of a fresh environment in which only the wheel is installed, beside the packages it needs.

    Those are read from where they are installed already, as if a requirement had been met before.
    """
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([str(python), *install], check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "needed.pth").write_text(make_path_file())
    (site / "sitecustomize.py").write_text(NO_NETWORK)
    return python


def test_in_a_fresh_environment_without_network_shipped_weights_predict(venv, tmp_path):
    script = OFFLINE.format(prefix=str(venv.parent.parent))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    process = subprocess.run([str(venv), "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert float(process.stdout) > 0.5


def test_in_a_fresh_environment_without_network_everything_that_ships_verifies(venv, tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    words = [str(venv.parent / "zoo"), "verify"]
    process = subprocess.run(words, env=env, cwd=tmp_path, capture_output=True, text=True)
    print(process.stdout)
    assert process.returncode == 0, process.stdout + process.stderr
    assert f"{len(zoo.trained)} of {len(zoo.trained)} are ok" in process.stdout
