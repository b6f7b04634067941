"""Whole plugins and data sets under the kit: sound ones pass, and each planted fault is caught by name."""

import re
import subprocess
import sys
from dataclasses import replace
from textwrap import dedent

import pytest
import torch

import zoo as face
from tests.support.fake_plugin import offer
from tests.support.forked_cli import zoo, zoo_json
from tests.support.wheels import Distribution, install
from zoo.errors import PluginError
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import SPEC_TYPES
from zoo.signature import Classes
from zoo.testing import DATASET_CHECKS, PLUGIN_CHECKS, CheckFailure, check_dataset, check_plugin
from zoo.testing.plugins.targets import IMPORT_STRING_FIELDS
from zoo.testing.report import Outcome

NET = """
    from torch import nn

    class Net(nn.Module):
        def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
            super().__init__()
            self.layer = nn.Linear(channels * size[0] * size[1], classes)

        def forward(self, images):
            return self.layer(images.flatten(1))
"""
SOUND = """
    import zoo

    zoo_api = 1

    @zoo.hookimpl
    def zoo_models():
        return [zoo.ModelSpec(name="planted-7x7", summary="a net", build="planted_net:Net", size=(7, 7), paper="none")]
"""
MORE = """
    @zoo.hookimpl
    def zoo_commands():
        return [zoo.Command(name="planted", summary="it", build="planted_net:command")]
"""
WATCHER = """
    @zoo.hookimpl
    def zoo_callbacks():
        return [zoo.CallbackSpec(name="planted", summary="it", build="planted_net:Deaf")]
"""
TABLE = """
    @zoo.hookimpl
    def zoo_experiments():
        row = zoo.Row(label="one", model="no-such-model")
        return [zoo.Experiment(name="planted", summary="it", source="", dataset="fashion-mnist-7x7", rows=(row,))]
"""
FAULTS = {
    "ready": "import zoo\nraise ValueError('broken')",
    "offers_something": "import zoo\nzoo_api = 1\n@zoo.hookimpl\ndef zoo_models(): return []",
    "contract_is_current": dedent(SOUND).replace("zoo_api = 1", ""),
    "nothing_heavy_at_listing": "import torch\n" + dedent(SOUND),
    "no_work_at_import": "import os\nos.makedirs('leftover', exist_ok=True)\n" + dedent(SOUND),
    "silent_at_import": "print('hello')\n" + dedent(SOUND),
    "same_offers_again": "import time\n" + dedent(SOUND).replace('"a net"', "str(time.time_ns())"),
    "names_are_its_own": dedent(SOUND).replace("planted-7x7", "gcn-7x7"),
    "import_strings_work": dedent(SOUND).replace("planted_net:Net", "planted_net:Nett"),
    "commands_explain_themselves": dedent(SOUND) + dedent(MORE),
    "callbacks_watch": dedent(SOUND) + dedent(WATCHER),
    "experiments_name_what_exists": dedent(SOUND) + dedent(TABLE),
    "distribution_described": dedent(SOUND),
    "distribution_requires_zoo": dedent(SOUND),
}
"""A plugin's source with one fault, by the check that must catch it; the last two lack metadata."""


def install_planted(folder, source):
    net = dedent(NET) + "\ncommand = print\n\nclass Deaf:\n    def on_epoch(self, training): pass\n"
    files = {"planted.py": source, "planted_net.py": net}
    return install(folder / "site", Distribution(name="zoo-planted", files=files, entry_points={"planted": "planted"}))


def test_every_check_of_a_plugin_has_a_planted_fault(figure):
    figure(f"check_plugin: {len(FAULTS)} planted faults for {len(PLUGIN_CHECKS)} checks of a plugin")
    assert set(FAULTS) == set(PLUGIN_CHECKS)


def test_every_kind_of_value_has_its_import_strings_checked():
    assert set(IMPORT_STRING_FIELDS) == set(SPEC_TYPES.values())


@pytest.mark.parametrize("check", FAULTS)
def test_a_planted_fault_is_caught_by_name_with_what_to_do(check, tmp_path):
    site = install_planted(tmp_path, FAULTS[check])
    process = zoo("plugins", "check", "zoo-planted", "--only", check, path=(site,))
    assert process.returncode == 1
    line = next(line for line in process.stdout.splitlines() if "failed:" in line)
    assert line.strip().startswith(f"failed: {check}: ")
    assert "; " in line


@pytest.mark.parametrize("name", [plugin.name for plugin in CATALOG.plugins() if plugin.is_first_party])
def test_zoos_own_plugins_pass_as_wholes(name):
    reports = check_plugin(name, only=list(PLUGIN_CHECKS))
    print(*reports, sep="\n")
    assert reports[0].num_checks >= 10


def test_an_expected_failure_on_the_command_line_needs_a_reason_and_then_passes(tmp_path):
    site = install_planted(tmp_path, FAULTS["silent_at_import"])
    words = ("plugins", "check", "zoo-planted", "--only", "silent_at_import", "--expect")
    record = zoo_json(*words, "planted:silent_at_import=it greets", path=(site,))
    assert (record["xfailed"], record["failed"], record["outcomes"][0]["message"]) == (1, 0, "it greets")
    for bad in ("planted:silent_at_import= ", "planted:no_such=why", "nobody:ready=why", "nonsense"):
        assert zoo(*words, bad, path=(site,)).returncode in (1, 2)


def test_no_check_run_is_a_failure_on_the_command_line():
    process = zoo("plugins", "check", "zoo_cnn", "--only", "nodes_keep_their_shape")
    assert process.returncode == 1
    assert "nothing was checked" in process.stdout


def test_an_unknown_plugin_is_reported_with_similar_names():
    process = zoo("plugins", "check", "zoo_cnm")
    assert process.returncode == 1
    assert "no plugin or distribution named 'zoo_cnm' is installed; did you mean zoo_cnn" in process.stderr


def test_a_distribution_without_an_entry_point_is_reported_with_the_fix(tmp_path):
    bare = install(tmp_path / "site", Distribution(name="zoo-bare", files={"zoo_bare.py": "import zoo"}))
    process = zoo("plugins", "check", "zoo-bare", path=(bare,))
    assert process.returncode == 1
    assert "zoo-bare 1.0 is installed, and has no entry point in group zoo; add [project.entry" in process.stderr


# In pytest


def run_pytest(folder, *words, settings=""):
    (folder / "pytest.ini").write_text(f"[pytest]\n{settings}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_pytest_runs_each_check_as_a_test_of_its_own(tmp_path):
    process = run_pytest(tmp_path, "-vv", "--zoo-plugin", "zoo_cnn", "-k", "described or ready")
    assert process.returncode == 0, process.stdout
    for name in ("zoo_cnn[ready]", "zoo_cnn[distribution_described]", "cnn-7x7[described]", "cnn-deep[described]"):
        assert f"{name} PASSED" in process.stdout


def test_pytest_takes_plugins_and_expected_failures_from_settings(tmp_path):
    settings = "zoo_plugins = zoo_cnn\nzoo_expected_failures =\n    cnn-7x7: exports: it used to fail\n"
    process = run_pytest(tmp_path, "-k", "cnn-7x7 and exports", settings=settings)
    assert process.returncode == 1
    assert (
        "cnn-7x7: exports: it passes, but was expected to fail (it used to fail); remove the expected" in process.stdout
    )


def test_pytest_refuses_a_plugin_that_is_not_installed(tmp_path):
    process = run_pytest(tmp_path, "--zoo-plugin", "zoo_nobody")
    assert process.returncode == 4
    assert "no plugin or distribution named 'zoo_nobody'" in process.stdout + process.stderr


def test_pytest_without_plugins_imports_neither_zoo_nor_torch(tmp_path):
    (tmp_path / "test_light.py").write_text(
        "import sys\ndef test(): assert not {'torch', 'zoo.api'} & {*sys.modules}\n"
    )
    assert run_pytest(tmp_path).returncode == 0


# Data sets


def make_images(num, seed, *, classes=("dark", "bright"), names=None, size=7):
    noise = torch.randint(0, 60, (num, 1, size, size), generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(num) % len(classes)
    pictures = (noise + 100 * labels.view(-1, 1, 1, 1)).to(torch.uint8)
    return face.Images(pictures, labels, Classes.of(names or classes))


def sound(*, download=False):
    return face.Dataset(train=lambda: make_images(40, 0), test=lambda: make_images(20, 1))


def short(*, download=False):
    return face.Dataset(train=lambda: make_images(39, 0), test=lambda: make_images(20, 1))


def wide(*, download=False):
    return face.Dataset(train=lambda: make_images(40, 0, size=8), test=lambda: make_images(20, 1, size=8))


def renamed(*, download=False):
    return face.Dataset(train=lambda: make_images(40, 0), test=lambda: make_images(20, 1, names=("bright", "dark")))


def leaking(*, download=False):
    return face.Dataset(train=lambda: make_images(40, 0), test=lambda: make_images(40, 0)[:20])


def unseen(*, download=False):
    images = make_images(80, 0)
    return face.Dataset(train=lambda: images[images.labels == 0], test=lambda: make_images(20, 1))


def black(*, download=False):
    def scaled(num, seed):
        images = make_images(num, seed)
        return face.Images(images.images // 255, images.labels, images.classes)

    return face.Dataset(train=lambda: scaled(40, 0), test=lambda: scaled(20, 1))


def drifting(*, download=False):
    seed = int.from_bytes(__import__("os").urandom(4), "big")
    return face.Dataset(train=lambda: make_images(40, seed), test=lambda: make_images(20, seed + 1))


def seeding(*, download=False):
    torch.manual_seed(0)
    return sound()


SPEC = face.DatasetSpec(
    name="planted",
    summary="two shades",
    build="test_check_plugin:sound",
    classes=("dark", "bright"),
    size=(7, 7),
    channels=1,
    counts={"train": 40, "test": 20},
    license="CC0-1.0",
    source="drawn",
)
DATA_FAULTS = {
    "random_state_untouched": {"build": "test_check_plugin:seeding"},
    "described": {"summary": ""},
    "license_and_source_named": {"license": ""},
    "parts_declared": {"counts": {"test": 20}},
    "counts_as_declared": {"build": "test_check_plugin:short"},
    "images_as_declared": {"build": "test_check_plugin:wide"},
    "classes_as_declared": {"build": "test_check_plugin:renamed"},
    "every_class_shown": {"build": "test_check_plugin:unseen"},
    "pixels_vary": {"build": "test_check_plugin:black"},
    "test_images_are_new": {"build": "test_check_plugin:leaking"},
    "read_the_same_again": {"build": "test_check_plugin:drifting"},
}


def test_a_sound_data_set_passes_and_every_check_has_a_planted_fault(monkeypatch, figure):
    report = check_dataset(offer(monkeypatch, SPEC))
    figure(f"check_dataset: {report}; {len(DATA_FAULTS)} planted faults")
    assert report.passed == tuple(DATASET_CHECKS) == tuple(DATA_FAULTS)


@pytest.mark.parametrize("check", DATA_FAULTS)
def test_a_data_set_that_is_not_as_it_says_is_caught_by_name_with_what_to_do(check, monkeypatch):
    offer(monkeypatch, replace(SPEC, **DATA_FAULTS[check]))
    with pytest.raises(CheckFailure, match=rf"(?s)^planted: {check}: .*; \w"):
        check_dataset("planted", only=[check])


def stubborn():
    return sound()


def test_a_reader_that_fails_is_the_error_of_its_plugin(monkeypatch):
    offer(monkeypatch, replace(SPEC, build="test_check_plugin:stubborn"))
    message = "planted cannot be read by test_check_plugin:stubborn: TypeError: .*'download'; report it to its author"
    with pytest.raises(PluginError, match=message):
        face.dataset("planted")


def test_the_data_that_ships_passes():
    assert check_dataset("fashion-mnist-7x7").passed == tuple(DATASET_CHECKS)


def test_a_data_set_that_is_not_here_is_checked_as_far_as_its_spec_goes():
    report = check_dataset("mnist")
    assert report.passed == ("described", "license_and_source_named", "parts_declared")
    assert "not on this machine" in report.skipped["counts_as_declared"]


def test_an_outcome_is_printed_on_one_line():
    outcome = Outcome(subject="it", check="ready", status="failed", message="it is not; fix it")
    assert str(outcome) == "it: ready: it is not; fix it"


# What a plugin author reads


def run_checks(folder, source, *words):
    return zoo("plugins", "check", "zoo-planted", *words, path=(install_planted(folder, source),)).stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("summary=", "sumary="), r"unexpected keyword argument 'sumary' \(\S+planted.py, line 8\); fix that first"),
        (('name="planted', 'name="Planted'), r"'Planted-7x7' is not lower-case letters .*line 8\); fix that first"),
        (("def zoo_models", "def zoo_model"), "unknown hook 'zoo_model'; did you mean zoo_models"),
        (("@zoo.hookimpl", ""), "it implements no hook; write @zoo.hookimpl above zoo_models; fix that first"),
        (("return [zoo", "return (zoo"), r"it returned a ModelSpec; return a list; fix that first"),
    ],
)
def test_a_plugin_that_is_not_ready_is_reported_once_with_location_and_fix(change, message, tmp_path):
    source = dedent(SOUND).replace(*change)
    output = run_checks(tmp_path, source.replace(")]\n", "))\n") if "(zoo" in change[1] else source)
    assert re.search(rf"    failed: ready: it is quarantined: .*{message}", output)
    assert "skipped: offers_something: it is not ready; the same in nothing_heavy_at_listing, no_work" in output
    assert not re.search("failed: (offers|nothing|no_work|silent|same)", output)


def test_the_same_problem_in_several_checks_is_printed_once_with_the_fix(tmp_path):
    output = run_checks(
        tmp_path, dedent(SOUND).replace(":Net", ":Nett"), "--only", "logits_shaped", "--only", "order_kept"
    )
    assert output.splitlines() == [
        "model planted-7x7: 0 of 2 checks passed",
        "    failed: logits_shaped: PluginError: planted-7x7 cannot be imported from planted_net:Nett: AttributeError: "
        "module 'planted_net' has no attribute 'Nett'; did you mean Net?; this must hold: Logits are (N, K), for "
        "any batch size; the same in order_kept",
        "zoo-planted: 2 checks ran: 2 failed",
    ]
