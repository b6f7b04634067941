"""`zoo plot` draws curves, scores and images of saved models, and tables."""

import json

import pytest
from PIL import Image

import zoo
from zoo.experiment.freshness import compute_inputs, resolve_row_recipe


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    data = zoo.dataset("fashion-mnist-7x7")
    model = zoo.create("gcn-7x7", seed=0).fit(data.train.take(200, seed=0), epochs=2, progress=False)
    return str(model.save(tmp_path_factory.mktemp("models") / "gcn"))


def is_picture(path):
    with Image.open(path) as picture:
        return picture.width > 300


def test_curves_of_several_runs_are_one_picture(run, saved, tmp_path):
    code, out, _ = run("plot", saved, "gcn-7x7/mnist", "--json")
    assert (code, json.loads(out)) == (0, {"kind": "curves", "written": "curves.png"})
    assert is_picture(tmp_path / "curves.png")


@pytest.mark.parametrize("kind", ["confusion", "classes", "images"])
def test_scores_and_images_need_data_and_say_so(run, saved, tmp_path, kind):
    code, _, err = run("plot", saved, "--kind", kind)
    assert (code, "add --data" in err) == (1, True)
    assert run("plot", saved, "--kind", kind, "--data", "fashion-mnist-7x7", "--out", "deep/it.png")[0] == 0
    assert is_picture(tmp_path / "deep" / "it.png")


def test_a_table_is_drawn_from_its_finished_cells(run, tmp_path):
    cell = {"row": "GCN 16, 32", "seed": 0, "metrics": {"accuracy": 0.5}, "history": [], "parameters": 906}
    spec = zoo.experiments["paper1-7x7"]
    cell |= {
        "recipe": resolve_row_recipe(spec.rows[0], quick=False).to_json(),
        "inputs": compute_inputs(spec, spec.rows[0]),
    }
    cell |= {"seconds": 1.0, "device": "a CPU", "versions": {}, "weights": "00"}
    (tmp_path / "paper1-7x7.jsonl").write_text(json.dumps(cell) + "\n")
    code, _, err = run("plot", "paper1-7x7", "--kind", "table", "--tables", ".", "--out", "table.svg")
    assert code == 0, err
    assert "<!-- GCN 16, 32 (n=1) -->" in (tmp_path / "table.svg").read_text()
    code, out, _ = run("experiment", "report", "paper1-7x7", "--out", ".", "--pictures", "drawn", "--json")
    assert code == 0
    assert json.loads(out)["rows"][0]["mean"] == 0.5
    assert (tmp_path / "drawn" / "paper1-7x7-table.png").stat().st_size > 1000


def test_two_models_have_no_common_confusion_matrix(run, saved):
    code, _, err = run("plot", saved, saved, "--kind", "confusion")
    assert (code, "only curves can be plotted together" in err) == (1, True)


def test_an_untrained_model_has_no_curves(run, tmp_path):
    folder = zoo.create("gcn-7x7", seed=0).save(tmp_path / "fresh")
    code, _, err = run("plot", str(folder))
    assert (code, "no epoch is trained" in err) == (1, True)
