"""The command line does what its help says, for people and for programs."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import zoo


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    data = zoo.dataset("fashion-mnist-7x7")
    model = zoo.create("cnn-7x7", seed=0).fit(data.train.take(1000, seed=0), epochs=2, progress=False)
    return str(model.save(tmp_path_factory.mktemp("models") / "cnn"))


@pytest.fixture
def photos(tmp_path):
    """Write a data set of two classes, ten pictures each, with a test part."""
    clothes = zoo.dataset("fashion-mnist-7x7").train
    for part, start in (("train", 0), ("test", 10)):
        for label, name in ((1, "trousers"), (8, "bag")):
            place = tmp_path / "photos" / part / name
            place.mkdir(parents=True)
            for number, image in enumerate(clothes[clothes.labels == label].images[start : start + 10]):
                Image.fromarray(image[0].numpy()).save(place / f"{number}.png")
    return "./photos"


def test_list_shows_every_model_and_json_the_same(run):
    code, out, _ = run("list")
    assert code == 0
    assert all(name in out for name in zoo.models)
    rows = json.loads(run("list", "--json")[1])
    assert [row["name"] for row in rows] == list(zoo.models)


@pytest.mark.parametrize(
    ("pattern", "names"), [("gcn-[27]*", {"gcn-7x7", "gcn-28x28"}), ("convolution", None), ("zzz", set())]
)
def test_list_takes_a_glob_or_a_word(run, pattern, names):
    rows = json.loads(run("list", pattern, "--json")[1])
    found = {row["name"] for row in rows}
    assert found == names if names is not None else {"cnn-7x7", "cnn-deep", "cnn-simple"} <= found


@pytest.mark.parametrize("name", ["gcn-7x7", "fashion-mnist", "paper2-cnn"])
def test_info_tells_about_anything_on_a_shelf(run, name):
    code, out, _ = run("info", name)
    assert code == 0
    assert name in out
    assert json.loads(run("info", name, "--json")[1])["name"] == name


def test_info_tells_the_symmetry_that_a_model_declares(run):
    assert json.loads(run("info", "gcn-plus-7x7", "--json")[1])["symmetry"] == "D4"
    assert [line.split()[1] for line in run("info", "gcn-28x28")[1].splitlines() if "symmetry" in line] == ["D4:"]


def test_plugins_names_each_with_its_distribution(run):
    record = json.loads(run("plugins", "--json")[1])
    assert {"zoo_cnn", "zoo_grid_gcn", "zoo_image_sets"} <= {each["plugin"] for each in record["plugins"]}
    assert "zoo-models" in run("plugins")[1]


def test_data_lists_and_looks_into_one_and_draws_it(run, tmp_path):
    assert "fashion-mnist-7x7" in run("data")[1]
    code, out, _ = run("data", "fashion-mnist-7x7", "--json")
    record = json.loads(out)
    assert (code, record["train"], record["test"]) == (0, 60_000, 10_000)
    assert record["train counts"]["Sneaker"] == 6000
    assert run("data", "fashion-mnist-7x7", "--picture", "grid.png")[0] == 0
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.width > 100


def test_fit_trains_scores_saves_and_draws(run, photos, tmp_path):
    words = ("fit", "cnn-7x7", photos, "--epochs", "8", "--seed", "0", "--plot", "curves.png")
    code, out, err = run(*words)
    assert code == 0
    assert "test accuracy" in out
    assert "saved to ./runs/cnn-7x7\n" in out
    assert len([line for line in err.splitlines() if line.strip()]) == 9
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert zoo.load("./runs/cnn-7x7").classes.names == ("bag", "trousers")


def test_photos_of_several_sizes_are_trained_on_scored_and_looked_into(run, tmp_path):
    draw = np.random.default_rng(0)
    for part in ("train", "test"):
        for number in range(8):
            for name, level in (("bright", 200), ("dark", 20)):
                place = tmp_path / "mixed" / part / name
                place.mkdir(parents=True, exist_ok=True)
                height, width = draw.integers(9, 40, 2)
                Image.fromarray(np.full((height, width, 3), level, np.uint8)).save(place / f"{number}.jpg")
    assert run("data", "./mixed")[0] == 1
    assert json.loads(run("data", "./mixed", "--size", "12", "--json")[1])["images"] == "3 x 12 x 12"
    code, out, _ = run("fit", "cnn-7x7", "./mixed", "--epochs", "20", "--seed", "0", "--quiet", "--json")
    assert (code, json.loads(out)["test"]["accuracy"]) == (0, 1.0)
    assert run("evaluate", "./runs/cnn-7x7", "./mixed")[1].startswith("accuracy 1.0000")


def test_fit_never_writes_over_an_earlier_run_by_itself(run, photos, tmp_path):
    for _ in range(3):
        assert run("fit", "gcn-7x7", photos, "--epochs", "1", "--quiet")[0] == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["gcn-7x7", "gcn-7x7-2", "gcn-7x7-3"]


def test_fit_as_json_prints_nothing_else_on_standard_output(run, photos):
    code, out, _ = run("fit", "cnn-7x7", photos, "--epochs", "1", "--quiet", "--json", "--save", "here")
    record = json.loads(out)
    assert code == 0
    assert record["saved"].endswith("here")
    assert len(record["history"]) == 1
    assert 0 <= record["test"]["accuracy"] <= 1


def test_fit_changes_recipe_and_config_and_goes_on_from_a_saved_model(run, photos):
    options = (
        "--set",
        "lr=0.01",
        "--set",
        "augment=flip,shift:1",
        "--config",
        "widths=8,8",
        "--epochs",
        "1",
        "--quiet",
    )
    assert run("fit", "cnn-7x7", photos, *options)[0] == 0
    model = zoo.load("./runs/cnn-7x7")
    assert (model.recipe.lr, model.recipe.augment, model.config["widths"]) == (0.01, ("flip", "shift:1"), (8, 8))
    assert run("fit", "./runs/cnn-7x7", photos, "--epochs", "2", "--quiet")[0] == 0
    assert len(zoo.load("./runs/cnn-7x7").history) == 3


def test_predict_labels_files_and_folders(run, saved, photos):
    code, out, _ = run("predict", saved, f"{photos}/test", f"{photos}/train/bag/0.png", "--json")
    record = json.loads(out)
    assert code == 0
    assert len(record) == 21
    assert record[0]["image"].endswith("0.png")
    assert record[0]["classes"][0]["name"] in zoo.datasets["fashion-mnist-7x7"].classes
    table = run("predict", saved, f"{photos}/train/bag/0.png", "--top", "3")[1]
    assert "0.png" in table
    assert table.count(",") >= 2


def test_evaluate_prints_the_table_and_draws_the_confusion(run, saved, tmp_path):
    code, out, _ = run("evaluate", saved, "fashion-mnist-7x7", "--plot", "confusion.png")
    assert code == 0
    assert "Ankle boot" in out
    assert (tmp_path / "confusion.png").stat().st_size > 1000
    record = json.loads(run("evaluate", saved, "fashion-mnist-7x7", "--json")[1])
    assert record["count"] == 10_000


def test_an_experiment_runs_only_missing_cells_and_reports_paper_beside_ours(run, tmp_path):
    words = ("experiment", "run", "paper1-7x7", "--quick", "--row", "GCN 16, 32", "--quiet", "--out", "tables")
    code, out, err = run(*words, "--seeds", "1")
    assert code == 0
    assert "| GCN 16, 32 | 906 | 0.4728 |" in out
    assert "Quick cells" in out
    assert err == ""
    _, _, err = run(*(word for word in words if word != "--quiet"), "--seeds", "2")
    assert "[1/1] GCN 16, 32, seed 1: accuracy " in err
    assert len((tmp_path / "tables" / "paper1-7x7.quick.jsonl").read_text().splitlines()) == 2
    assert (tmp_path / "tables" / "paper1-7x7.quick.md").is_file()
    code, out, _ = run("experiment", "report", "paper1-7x7", "--quick", "--out", "tables", "--format", "csv")
    assert code == 0
    assert out.startswith("experiment,row,metric,")
    assert (tmp_path / "tables" / "paper1-7x7.quick.csv").read_text() == out
    assert not (tmp_path / "pictures").exists()  # quick cells are not drawn


@pytest.mark.parametrize("words", [(), ("--help",), ("fit", "--help"), ("experiment", "run", "--help"), ("--version",)])
def test_help_is_there(run, words):
    code, out, err = run(*words)
    assert code in (0, 2)
    assert "zoo" in out + err


def test_fit_never_selects_on_the_test_images(run, photos):
    options = ("--epochs", "2", "--quiet", "--set", "patience=1", "--json")
    record = json.loads(run("fit", "gcn-7x7", photos, *options)[1])
    assert zoo.load("./runs/gcn-7x7").recipe.validation == 0.1
    assert "val_loss" in record["history"][0]


def test_ctrl_c_saves_what_is_trained_and_exits_with_130(tmp_path):
    words = [sys.executable, "-m", "zoo", "fit", "gcn-7x7", "fashion-mnist-7x7", "--epochs", "500", "--save", "here"]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.split()[:1] == ["1"]:  # the first epoch is done
                process.send_signal(signal.SIGINT)
                break
        err = process.stderr.read()
    assert process.returncode == 130
    assert "the weights trained so far are saved to" in err
    assert "Traceback" not in err
    assert len(zoo.load(tmp_path / "here").history) >= 1
