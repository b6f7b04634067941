"""A new plugin is a complete distribution that builds, installs and passes the conformance kit."""

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
TEMPLATE_MODULES = ("net.py", "reader.py", "command.py")
NUM_VALUE_CHECKS = {"model": 37, "dataset": 11, "encoder": 12, "command": 0}


@pytest.fixture(scope="module", params=TEMPLATE_KINDS)
def new_plugin(request, tmp_path_factory):
    """Return (kind, folder, site): a plugin written by the command line, and installed by pip."""
    parent = tmp_path_factory.mktemp(request.param)
    folder = parent / f"zoo-mine-{request.param}"
    process = zoo("plugins", "new", f"mine-{request.param}", "--kind", request.param, "--folder", str(folder))
    assert process.returncode == 0, process.stderr
    installed = run(*PIP, str(parent / "site"), str(folder), PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert installed.returncode == 0, installed.stderr
    return request.param, folder, parent / "site"


def test_a_new_plugin_passes_zoo_plugins_check(new_plugin):
    kind, _, site = new_plugin
    record = zoo_json("plugins", "check", f"zoo-mine-{kind}", path=(site,))
    print(f"a new {kind}: {record['checks']} checks ran, {record['passed']} passed")
    assert record["failed"] == 0
    assert record["passed"] == record["checks"] >= 11 + NUM_VALUE_CHECKS[kind]


def test_its_own_tests_pass_with_a_test_for_each_check(new_plugin):
    kind, folder, site = new_plugin
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        env=_environment(site),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert int(process.stdout.rsplit(" passed", 1)[0].split()[-1]) >= 12 + NUM_VALUE_CHECKS[kind]


def _environment(site: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def test_it_builds_a_wheel_with_its_entry_point(new_plugin, tmp_path):
    kind, folder, _ = new_plugin
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        points = archive.read(next(name for name in archive.namelist() if name.endswith("entry_points.txt"))).decode()
    assert points.split() == ["[zoo]", f"zoo_mine_{kind}", "=", f"zoo_mine_{kind}"]


def test_it_has_under_40_lines_of_python_apart_from_the_net(new_plugin):
    kind, folder, _ = new_plugin
    files = [path for path in folder.rglob("*.py") if path.name not in TEMPLATE_MODULES]
    num = sum(len([line for line in path.read_text().splitlines() if line.strip()]) for path in files)
    print(f"a new {kind}: {num} lines of Python in {len(files)} files apart from the net")
    assert 0 < num < 40


def test_its_code_is_formatted_and_passes_the_linter(new_plugin):
    _, folder, _ = new_plugin
    for words in (("check", "--isolated"), ("format", "--isolated", "--check", "--line-length", "120")):
        process = subprocess.run([sys.executable, "-m", "ruff", *words, str(folder)], capture_output=True, text=True)
        assert process.returncode == 0, process.stdout


def test_no_placeholder_is_left(new_plugin):
    _, folder, _ = new_plugin
    for path in (each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        assert "$" not in path.read_text(), path


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(ConfigError, match="exists and is not empty"):
        write_plugin("mine", "model", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["Mine", "zoo_mine", "../mine", ""])
def test_an_invalid_name_is_refused(name, tmp_path):
    with pytest.raises(ConfigError, match="plugin name"):
        write_plugin(name, "model", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="model, encoder, dataset, command, not 'metric'"):
        write_plugin("mine", "metric", tmp_path / "new")


def test_a_name_may_begin_with_zoo_and_have_numbers_and_dots(tmp_path):
    texts = write_plugin("zoo-3d.net", "command", tmp_path / "new")
    assert tmp_path / "new" / "zoo_3d_net" / "command.py" in texts
    for path, text in texts.items():
        if path.suffix == ".py":
            compile(text, str(path), "exec")


def test_json_lists_the_files(tmp_path):
    process = zoo("plugins", "new", "mine", "--folder", str(tmp_path / "new"), "--json")
    record = json.loads(process.stdout)
    assert all(Path(name).is_file() for name in record["files"])
