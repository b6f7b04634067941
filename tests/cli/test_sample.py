"""`zoo sample` and `zoo fit --grids`: pictures of what a generator draws."""

import json

import pytest
from PIL import Image

import zoo


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    images = zoo.dataset("fashion-mnist-7x7").train.take(32, seed=0).resize(16)
    model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4).fit(images, epochs=1, progress=False)
    return str(model.save(tmp_path_factory.mktemp("models") / "gan"))


def test_sample_writes_a_grid_of_so_many_images(run, saved, tmp_path):
    code, out, _ = run("sample", saved, "--count", "6", "--columns", "3", "--out", "pictures/six.png", "--json")
    assert (code, json.loads(out)["images"]) == (0, 6)
    assert size_of(tmp_path / "pictures" / "six.png") == ((3 * 17 + 1) * 4, (2 * 17 + 1) * 4)


def test_sample_draws_the_labels_it_is_told_and_refuses_others(run, saved, tmp_path):
    assert run("sample", saved, "--labels", "3,3,5")[0] == 0
    assert size_of(tmp_path / "samples.png") == ((3 * 17 + 1) * 4, 18 * 4)
    code, _, err = run("sample", saved, "--labels", "3,shoe")
    assert (code, "label 'shoe' is not one of" in err) == (1, True)


def test_sample_refuses_a_classifier_with_what_to_do(run, tmp_path):
    folder = zoo.create("gcn-7x7", seed=0).save(tmp_path / "gcn")
    code, _, err = run("sample", str(folder))
    assert (code, "labels images and does not generate them" in err) == (1, True)


def test_predict_refuses_a_generator_with_what_to_do(run, saved, tmp_path):
    Image.new("L", (16, 16)).save(tmp_path / "a.png")
    code, _, err = run("predict", saved, "a.png")
    assert (code, "is a generator and has no logits" in err) == (1, True)


def test_fit_trains_a_generator_writes_grids_and_says_how_to_use_it(run, tmp_path):
    for name, level in (("dark", 20), ("bright", 230)):
        place = tmp_path / "photos" / name
        place.mkdir(parents=True)
        for number in range(8):
            Image.new("L", (16, 16), level + number).save(place / f"{number}.png")
    words = (
        "--config",
        "size=16",
        "--config",
        "width=4",
        "--epochs",
        "2",
        "--seed",
        "0",
        "--grids",
        "grids",
        "--quiet",
    )
    code, out, err = run("fit", "attention-gan-28x28", "./photos", *words)
    assert code == 0, err
    assert "to use it: zoo sample ./runs/attention-gan-28x28" in out
    assert [path.name for path in sorted((tmp_path / "grids").iterdir())] == ["epoch-001.png", "epoch-002.png"]
    assert zoo.load("./runs/attention-gan-28x28").sample(["dark"]).images.shape == (1, 1, 16, 16)
