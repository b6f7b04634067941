"""`zoo push`, `zoo pull` and `zoo verify` as a person calls them; the whole story is tests/hub/test_hub_story.py."""

import json

import pytest

import zoo


@pytest.fixture
def folder(tmp_path):
    return zoo.load("gcn-7x7/mnist").save(tmp_path / "gcn")


def test_verify_checks_a_folder(run, folder):
    code, out, _ = run("verify", folder)
    assert code == 0
    assert "ok " in out
    assert "outputs on the stored example images differ by at most" in out
    assert "that data set is not on this machine" in out


def test_verify_checks_all_that_ships_when_nothing_is_named(run):
    code, out, _ = run("verify", "--no-data")
    assert code == 0
    assert f"{len(zoo.trained)} of {len(zoo.trained)} are ok" in out


def test_a_damaged_folder_is_wrong_and_the_next_is_still_checked(run, folder):
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    code, out, _ = run("verify", folder, "gcn-7x7/mnist", "--no-data", "--json")
    records = json.loads(out)
    assert code == 1
    assert [record["is_good"] for record in records] == [False, True]
    assert "damaged or was changed" in records[0]["problem"]


def test_the_trained_shelf_is_listed_with_accuracy_and_licence(run):
    code, out, _ = run("list", "trained")
    assert code == 0
    assert "cnn-deep/mnist" in out
    assert "cc-by-sa-3.0" in out


def test_info_shows_what_is_stored_with_weights(run):
    code, out, _ = run("info", "cnn-deep/mnist", "--json")
    record = json.loads(out)
    assert code == 0
    assert (record["kind"], record["model"], record["license"]) == ("trained", "cnn-deep", "cc-by-sa-3.0")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("push", "gcn-7x7/mnist", "no-owner"), "owner/name"),
        (("push", "gcn-9x9/mnist", "ann/x"), "neither a folder nor weights that ship"),
        (("pull", "gcn-7x7"), "hf:owner/name"),
        (("verify", "./nothing", "--json"), "no folder"),
        (("fit", "cnn-7x7", "fashion-mnist-7x7", "--from", "nothing"), "nor weights that ship"),
    ],
)
def test_a_mistake_is_named(run, words, told):
    code, out, err = run(*words)
    assert code == 1
    assert told in out + err


def test_a_model_without_a_licence_is_not_published(run, folder, tmp_path):
    model = zoo.create("gcn-7x7", seed=0)
    code, _, err = run("push", model.save(tmp_path / "bare"), "ann/x")
    assert code == 1
    assert "license='mit'" in err


def test_pull_without_a_lock_file_says_what_to_name(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("pull")
    assert code == 2
    assert "hf:owner/name" in err


def test_fit_begins_from_weights_keeps_the_score_and_the_licence(run, tmp_path):
    words = (
        "fit",
        "cnn-7x7",
        "fashion-mnist-7x7",
        "--from",
        "fashion-mnist",
        "--epochs",
        1,
        "--set",
        "batch_size=4096",
    )
    code, _, _ = run(*words, "--license", "mit", "--save", tmp_path / "m", "--quiet")
    model = zoo.load(tmp_path / "m")
    assert code == 0
    assert (model.base, model.license) == ("cnn-7x7/fashion-mnist", "mit")
    assert model.scores[0].metrics["accuracy"] > 0.8
