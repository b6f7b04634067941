"""A saved model is one folder: written whole, read back bit for bit, and readable without zoo."""

import hashlib
import json
import subprocess
import sys

import pytest
import torch

import zoo
from tests.support.artifacts import edit_manifest
from zoo.errors import UnknownNameError, WeightsError
from zoo.saving.bundled import list_folders


@pytest.fixture
def model():
    train = zoo.dataset("fashion-mnist-7x7").train.take(256, seed=0)
    return zoo.create("gcn-7x7", seed=0, hidden=(4, 8)).fit(train, epochs=1, progress=False)


@pytest.fixture
def folder(model, tmp_path):
    return model.save(tmp_path / "model")


def test_the_folder_has_four_files_and_no_temporary_ones(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.json",
        "history.jsonl",
        "model.safetensors",
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_loaded_model_equals_the_saved_one(model, folder):
    again = zoo.load(folder)
    for name, tensor in model.net.state_dict().items():
        assert torch.equal(again.net.state_dict()[name], tensor)
    assert (again.config, again.classes, again.recipe, again.seed) == (
        model.config,
        model.classes,
        model.recipe,
        model.seed,
    )
    assert again.history == model.history
    assert again.data == "fashion-mnist-7x7/train"


def test_saving_again_replaces_the_folder(model, folder):
    model.fit(zoo.dataset("fashion-mnist-7x7").train.take(64), epochs=1, progress=False)
    model.save(folder)
    assert len(zoo.load(folder).history) == 2
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_the_manifest_names_everything_and_hashes_every_file(model, folder):
    config = json.loads((folder / "config.json").read_text())
    assert config["model"] == "gcn-7x7"
    assert config["plugin"]["plugin"] == "zoo_grid_gcn"
    assert config["config"] == {
        "size": [7, 7],
        "channels": 1,
        "hidden": [4, 8],
        "classes": 10,
        "last_relu": False,
        "bias": 0.0,
    }
    assert set(config["tensors"]) == set(model.net.state_dict())
    for name, sha256 in config["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256


def test_the_folder_is_readable_with_safetensors_and_json_alone(folder):
    script = (
        "import sys, json; sys.modules['zoo'] = None\n"
        "from safetensors.torch import load_file\n"
        f"weights = load_file({str(folder / 'model.safetensors')!r})\n"
        f"manifest = json.load(open({str(folder / 'config.json')!r}))\n"
        "assert set(weights) == set(manifest['tensors'])\n"
        "print(sum(w.numel() for w in weights.values()))"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(process.stdout) == zoo.load(folder).num_parameters


@pytest.mark.parametrize("name", ["model.safetensors", "history.jsonl"])
def test_a_changed_byte_is_detected(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(WeightsError, match="sha256"):
        zoo.load(folder)


def test_the_readme_may_be_edited_by_hand(folder):
    (folder / "README.md").write_text("edited by hand")
    assert len(zoo.load(folder).history) == 1


def test_a_folder_with_other_files_is_never_replaced(model, tmp_path):
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(WeightsError, match="not a saved model"):
        model.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "three years"


def test_loading_without_the_plugin_names_the_package_to_install(folder):
    edit_manifest(folder, model="vig-9x9", plugin={"plugin": "zoo_vig", "distribution": "zoo-vig", "version": "2.1"})
    with pytest.raises(UnknownNameError, match="pip install zoo-vig"):
        zoo.load(folder)


def test_a_model_of_the_same_name_in_another_distribution_is_not_used(folder):
    edit_manifest(folder, plugin={"plugin": "zoo_grid_gcn", "distribution": "zoo-other", "version": "1"})
    with pytest.raises(UnknownNameError, match="pip install zoo-other"):
        zoo.load(folder)


def test_an_unknown_reference_is_refused_with_a_suggestion():
    assert "gcn-7x7/fashion-mnist" in list_folders()
    with pytest.raises(UnknownNameError, match="did you mean gcn-7x7/fashion-mnist"):
        zoo.load("gcn-7x7/fashion-mnst")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 99),
        ("model", None),
        ("config", {"hidden": "wide"}),
        ("config", {"build": "os:system"}),
        ("classes", {"values": [1, 2], "names": ["a"]}),
        ("classes", {"values": [None], "names": ["a"]}),
        ("preprocessing", {"size": [0, 7]}),
        ("recipe", {"epochs": -1}),
        ("files", {}),
        ("seed", "zero"),
        ("seed", True),
        ("dtype", "int3"),
        ("dtype", 32),
        ("parameters", -1),
        ("metrics", {"loss": "low"}),
        ("scores", [{"data": "x"}]),
        ("scores", [{"data": "x", "count": 1, "fingerprint": "", "metrics": {"accuracy": "good"}}]),
        ("golden", [["a"]]),
        ("golden", {"a": 1}),
        ("tensors", {"a": {"dtype": "float32"}}),
        ("versions", {"torch": 2}),
        ("plugin", {"plugin": 1, "distribution": "zoo-models", "version": "1"}),
        ("plugin", {"plugin": "p", "distribution": "zoo-models", "version": "1", "build": "os:system"}),
        ("preprocessing", {"size": [28, 28], "channels": 1}),
        ("preprocessing", {"size": [7, 7], "channels": 3}),
        ("classes", {"values": [1, 2], "names": ["a", "b"]}),
    ],
    ids=str,
)
def test_an_unusable_manifest_is_refused(folder, key, value):
    edit_manifest(folder, **{key: value})
    with pytest.raises(WeightsError):
        zoo.load(folder)


def test_nonfinite_weights_are_refused(model, tmp_path):
    model.net.convolutions[0].bias.data[0] = float("nan")
    with pytest.raises(WeightsError, match="NaN"):
        zoo.load(model.save(tmp_path / "broken"))


def test_loading_gives_eval_mode_and_does_not_change_the_random_state(folder):
    before = torch.get_rng_state()
    assert not zoo.load(folder).net.training
    assert torch.equal(torch.get_rng_state(), before)


def test_a_config_that_would_take_all_memory_is_refused_before_building(folder):
    config = {"size": [7, 7], "channels": 1, "hidden": [10**9], "classes": 10, "last_relu": False, "bias": 0.0}
    with pytest.raises(WeightsError, match=r"has the number 1,000,000,000, but only \d+ weights"):
        zoo.load(edit_manifest(folder, config=config))


def test_a_history_with_text_from_a_callback_can_be_saved(model, tmp_path):
    class Note:
        def on_step(self, training):
            training.row["note"] = "slow"

        def on_epoch(self, training):
            pass

    model.fit(zoo.dataset("fashion-mnist-7x7").train.take(64), epochs=1, progress=False, callbacks=[Note()])
    again = zoo.load(model.save(tmp_path / "noted"))
    assert again.history[-1]["note"] == "slow"


@pytest.mark.parametrize("path", ["~nobody-of-that-name/x", "a\0b"])
def test_an_impossible_path_is_refused(model, path):
    with pytest.raises(WeightsError, match="not a path to save to"):
        model.save(path)
