"""The wheel holds what a user needs, and works where the checkout is not."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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
    assert {"zoo_image_sets/fashion-mnist-7x7.safetensors", "zoo_image_sets/LICENSE-fashion-mnist"} <= names
    assert {f"zoo_weights/gcn-7x7/fashion-mnist/{name}" for name in ("config.json", "model.safetensors")} <= names
    assert not [name for name in names if name.startswith(("tests", "docs", "examples", "plugins"))]
    for line in ("[zoo]", "zoo_cnn = zoo_cnn", "zoo_grid_gcn = zoo_grid_gcn", "zoo_image_sets = zoo_image_sets"):
        assert line in points
    assert wheel.stat().st_size < 10 << 20


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
        "assert len(zoo.load('gcn-7x7/fashion-mnist').predict(data.test.take(5))) == 5\n"
    )
    env = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", script], check=True, env=env, cwd=tmp_path)
    evaluate = [sys.executable, "-m", "zoo", "evaluate", "./runs/gcn", "fashion-mnist-7x7"]
    done = subprocess.run(evaluate, check=True, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("accuracy")
