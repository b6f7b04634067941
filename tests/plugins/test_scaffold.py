"""A new plugin: a whole distribution that builds, installs and passes the kit as it was written."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.forked_cli import zoo, zoo_json
from tests.support.wheels import run
from zoo.errors import ConfigError
from zoo.plugins.scaffold import TEMPLATE_KINDS, write_plugin

PIP = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target")
BESIDE_THE_NET = ("net.py", "reader.py", "command.py")
FURTHER = {"model": 37, "dataset": 11, "encoder": 12, "command": 0}


@pytest.fixture(scope="module", params=TEMPLATE_KINDS)
def begun(request, tmp_path_factory):
    """Return (kind, folder, site): a plugin written by the command line, and installed by pip."""
    place = tmp_path_factory.mktemp(request.param)
    folder = place / f"zoo-mine-{request.param}"
    done = zoo("plugins", "new", f"mine-{request.param}", "--kind", request.param, "--folder", str(folder))
    assert done.returncode == 0, done.stderr
    installed = run(*PIP, str(place / "site"), str(folder), PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert installed.returncode == 0, installed.stderr
    return request.param, folder, place / "site"


def test_a_new_plugin_passes_zoo_plugins_check_as_it_is(begun):
    kind, _, site = begun
    record = zoo_json("plugins", "check", f"zoo-mine-{kind}", path=(site,))
    print(f"a new {kind}: {record['checks']} checks ran, {record['held']} held")
    assert record["failed"] == 0
    assert record["held"] == record["checks"] >= 11 + FURTHER[kind]


def test_its_own_tests_pass_with_a_test_for_each_check(begun):
    kind, folder, site = begun
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        env=_environment(site),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) >= 12 + FURTHER[kind]


def _environment(site: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def test_it_builds_a_wheel_with_its_entry_point(begun, tmp_path):
    kind, folder, _ = begun
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        points = archive.read(next(name for name in archive.namelist() if name.endswith("entry_points.txt"))).decode()
    assert points.split() == ["[zoo]", f"zoo_mine_{kind}", "=", f"zoo_mine_{kind}"]


def test_it_has_under_40_lines_of_python_beside_the_net(begun):
    kind, folder, _ = begun
    files = [path for path in folder.rglob("*.py") if path.name not in BESIDE_THE_NET]
    num = sum(len([line for line in path.read_text().splitlines() if line.strip()]) for path in files)
    print(f"a new {kind}: {num} lines of Python in {len(files)} files beside the net")
    assert 0 < num < 40


def test_its_python_is_formatted_and_clean(begun):
    _, folder, _ = begun
    for words in (("check", "--isolated"), ("format", "--isolated", "--check", "--line-length", "120")):
        done = subprocess.run([sys.executable, "-m", "ruff", *words, str(folder)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_nothing_is_left_to_be_filled_in(begun):
    _, folder, _ = begun
    for path in (each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        assert "$" not in path.read_text(), path


def test_what_is_there_is_not_written_over(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds something"):
        write_plugin("mine", "model", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["Mine", "zoo_mine", "../mine", ""])
def test_a_name_that_cannot_be_one_is_refused(name, tmp_path):
    with pytest.raises(ConfigError, match="plugin name"):
        write_plugin(name, "model", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_kind_that_nobody_offers_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="model, encoder, dataset, command, not 'metric'"):
        write_plugin("mine", "metric", tmp_path / "new")


def test_a_name_may_have_zoo_before_it_and_numbers_and_dots(tmp_path):
    texts = write_plugin("zoo-3d.net", "command", tmp_path / "new")
    assert tmp_path / "new" / "zoo_3d_net" / "command.py" in texts
    for path, text in texts.items():
        if path.suffix == ".py":
            compile(text, str(path), "exec")


def test_as_json_the_files_are_told(tmp_path):
    done = zoo("plugins", "new", "mine", "--folder", str(tmp_path / "new"), "--json")
    record = json.loads(done.stdout)
    assert all(Path(name).is_file() for name in record["files"])
