"""A sweep trains what is missing of a grid, several at a time, and ranks it by held-out images."""

import json

import pytest

import zoo
from zoo.cli.main import main
from zoo.data.readers.archives import write_safetensors
from zoo.errors import ConfigError
from zoo.experiment.ledger import Ledger
from zoo.tuning.grid import make_trials
from zoo.tuning.ranking import rank_trials
from zoo.tuning.sweep import sweep, train_trial
from zoo.tuning.workers import TaskResult


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    path = tmp_path_factory.mktemp("few") / "few.safetensors"
    write_safetensors({"train": zoo.dataset("fashion-mnist-7x7").train.take(320)}, path, {})
    return str(path)


def test_a_grid_is_every_combination_and_is_checked_before_anything_is_trained(few):
    points = make_trials(
        "gcn-7x7", few, grid={"lr": (0.1, 0.01), "batch_size": (32, 64)}, config={"hidden": ((4,), (4, 8))}
    )
    assert len(points) == len({point.label for point in points}) == 8
    assert points[0].label == f"gcn-7x7 {few} hidden=4 lr=0.1 batch_size=32"
    assert len(make_trials("gcn-7x7", few, grid={"lr": (0.1, 0.1)}, config={})) == 1
    for odd in ({"grid": {"lrr": (1,)}, "config": {}}, {"grid": {}, "config": {"width": (3,)}}):
        with pytest.raises(ConfigError):
            make_trials("gcn-7x7", few, **odd)


def test_a_sweep_in_a_pool_keeps_what_is_done_and_says_what_failed(few, tmp_path, capsys):
    words = ["sweep", "cnn-7x7", few, "--grid", "lr=0.003,1e30", "--set", "optimizer=sgd", "--epochs", "2"]
    words += ["--seeds", "2", "--jobs", "2", "--out", str(tmp_path / "out.jsonl"), "--json"]
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert ended.value.code == 1
    assert "2 trainings failed" in err
    assert err.count("lr=0.003, seed") == 2
    assert "lr=1e+30, seed 0: failed" in err
    assert [(row["trial"], row["n"]) for row in told["trials"]] == [
        (f"cnn-7x7 {few} optimizer=sgd epochs=2 lr=0.003", 2)
    ]
    assert {(each["seed"], "lower lr" in each["error"]) for each in told["failed"]} == {(0, True), (1, True)}
    ledger = Ledger(tmp_path / "out.jsonl")
    (point,) = make_trials("cnn-7x7", few, grid={"optimizer": ("sgd",), "epochs": (2,), "lr": (0.003,)}, config={})
    again = sweep([point], ledger, seeds=(0, 1), on_done=lambda *_: pytest.fail("it was trained again"))
    assert len(again.cells) == 2
    ours, theirs = train_trial(point, 1), next(cell for cell in again.cells if cell.seed == 1)
    assert ours.weights == theirs.weights
    assert ours.recipe["validation"] == 0.1


def test_trials_are_ranked_by_what_is_better(few):
    points = make_trials("gcn-7x7", few, grid={"epochs": (1, 3)}, config={})
    cells = tuple(train_trial(point, seed) for point in points for seed in (0, 1))
    for metric, sign in (("val_accuracy", -1), ("val_loss", 1)):
        means = [row["mean"] for row in rank_trials(cells, metric)]
        assert means == sorted(means, key=lambda value: sign * value)
        assert all(row["n"] == 2 and row["std"] is not None for row in rank_trials(cells, metric))
    with pytest.raises(ConfigError, match="has no 'accuracy'"):
        rank_trials(cells, "accuracy")


def test_a_model_has_the_classes_and_channels_of_the_data(tmp_path):
    images = zoo.dataset("fashion-mnist-7x7").train.take(64)
    two = zoo.Images(images.images.expand(-1, 3, -1, -1).contiguous(), images.labels % 2)
    write_safetensors({"train": two}, tmp_path / "two.safetensors", {})
    (point,) = make_trials("gcn-7x7", str(tmp_path / "two.safetensors"), grid={"epochs": (1,)}, config={})
    assert (point.config["classes"], point.config["channels"]) == (2, 3)
    assert train_trial(point, 0).metrics["val_accuracy"] >= 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--grid", "lr="), "lr has no value"),
        (("--grid", "lr"), "'lr' is not NAME=VALUE"),
        (("--seeds", "0"), "no seed at all"),
        (("--seeds", "0,-1"), "below 0"),
        (("--jobs", "0"), "0 is not in the range"),
        (("--grid", "lrr=0.1"), "did you mean lr"),
        (("--config", "widht=3"), "takes no 'widht'"),
        (("--recipe", "nothing"), "nothing"),
        (("--metric", "val_f1", "--epochs", "1"), "has no 'val_f1'; it has val_loss, val_accuracy"),
    ],
)
def test_what_cannot_be_swept_over_says_so(few, tmp_path, capsys, words, said, monkeypatch):
    monkeypatch.setattr("zoo.tuning.sweep.run_tasks", here)
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "gcn-7x7", few, "--out", str(tmp_path / "out.jsonl"), *words])
    assert ended.value.code in (1, 2)
    assert said in capsys.readouterr().err


def here(tasks, work, *, jobs, initializer):
    """Do the work in this process, which has torch in memory already."""
    return (TaskResult(task, work(task), "") for task in tasks)
