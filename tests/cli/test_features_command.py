"""`zoo features`: what a saved model finds in pictures, in a file that other programs read."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

import zoo
from zoo.cli.main import main

MODEL = "gcn-7x7/fashion-mnist"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run `zoo features MODEL WORDS` beside two pictures; return its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    for name, image in zip("ab", zoo.dataset("fashion-mnist-7x7").test.images[:2], strict=True):
        Image.fromarray(image[0].numpy()).save(f"{name}.png")

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(["features", *words])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def as_npz(path):
    with np.load(path) as found:
        assert str(found["model"]) == MODEL
        return found["features"], found["files"].tolist()


def as_csv(path):
    with path.open(newline="") as lines:
        head, *rows = csv.reader(lines)
    assert head[:2] == ["file", "feature_0"]
    return np.array([row[1:] for row in rows], dtype=np.float32), [row[0] for row in rows]


def as_safetensors(path):
    with safe_open(path, "numpy") as found:
        about = json.loads(found.metadata()["zoo"])
        assert about["model"] == MODEL
        return found.get_tensor("features"), about["files"]


@pytest.mark.parametrize("read", [as_npz, as_csv, as_safetensors])
def test_the_file_holds_what_the_model_finds_beside_the_names(read, run, tmp_path):
    out = tmp_path / "made" / f"found.{read.__name__[3:]}"
    code, told, _ = run(MODEL, "b.png", "a.png", "--out", str(out))
    assert (code, told) == (0, f"wrote 32 features of 2 pictures to {out}\n")
    features, names = read(out)
    assert names == ["b.png", "a.png"]
    assert np.array_equal(features, zoo.load(MODEL).features(["b.png", "a.png"]))


def test_a_folder_stands_for_its_pictures_and_json_tells_what_was_written(run):
    record = json.loads(run(MODEL, ".", "--json")[1])
    assert record == {"model": "gcn-7x7", "features": 32, "written": "features.npz", "files": ["a.png", "b.png"]}
    assert as_npz("features.npz")[1] == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((MODEL, "a.png", "--out", "found.npy"), "found.npy ends in .npy; features are written to .npz, .csv, .safet"),
        ((MODEL, "c.png"), "c.png"),
        ((MODEL, "a.png", "--out", "a.png/found.csv"), "a.png/found.csv cannot be written: File exists; write to ano"),
        (("gcn-7x7/fashion-mnits", "a.png"), "did you mean gcn-7x7/fashion-mnist"),
    ],
)
def test_what_cannot_be_done_is_an_error_that_says_what_to_do_and_writes_nothing(words, told, run, tmp_path):
    code, _, err = run(*words)
    assert (code, told in err, "unexpected" in err) == (1, True, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
