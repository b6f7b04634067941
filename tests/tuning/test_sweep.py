"""A sweep trains the missing trials of a grid in parallel, and ranks them by validation scores."""

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
def small_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("few") / "few.safetensors"
    write_safetensors({"train": zoo.dataset("fashion-mnist-7x7").train.take(320)}, path, {})
    return str(path)


def test_a_grid_has_every_combination_and_is_checked_before_training(small_file):
    trials = make_trials(
        "gcn-7x7", small_file, grid={"lr": (0.1, 0.01), "batch_size": (32, 64)}, config={"hidden": ((4,), (4, 8))}
    )
    assert len(trials) == len({trial.label for trial in trials}) == 8
    assert trials[0].label == f"gcn-7x7 {small_file} hidden=4 lr=0.1 batch_size=32"
    assert len(make_trials("gcn-7x7", small_file, grid={"lr": (0.1, 0.1)}, config={})) == 1
    for options in ({"grid": {"lrr": (1,)}, "config": {}}, {"grid": {}, "config": {"width": (3,)}}):
        with pytest.raises(ConfigError):
            make_trials("gcn-7x7", small_file, **options)


def test_a_sweep_keeps_finished_trainings_and_reports_failures(small_file, tmp_path, capsys):
    arguments = ["sweep", "cnn-7x7", small_file, "--grid", "lr=0.003,1e30", "--set", "optimizer=sgd", "--epochs", "2"]
    arguments += ["--seeds", "2", "--jobs", "2", "--out", str(tmp_path / "out.jsonl"), "--json"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert ended.value.code == 1
    assert "2 trainings failed" in err
    assert err.count("lr=0.003, seed") == 2
    assert "lr=1e+30, seed 0: failed" in err
    assert [(row["trial"], row["n"]) for row in report["trials"]] == [
        (f"cnn-7x7 {small_file} optimizer=sgd epochs=2 lr=0.003", 2)
    ]
    assert {(each["seed"], "lower lr" in each["error"]) for each in report["failed"]} == {(0, True), (1, True)}
    ledger = Ledger(tmp_path / "out.jsonl")
    (trial,) = make_trials(
        "cnn-7x7", small_file, grid={"optimizer": ("sgd",), "epochs": (2,), "lr": (0.003,)}, config={}
    )
    repeated = sweep([trial], ledger, seeds=(0, 1), on_done=lambda *_: pytest.fail("it was trained again"))
    assert len(repeated.cells) == 2
    alone, swept = train_trial(trial, 1), next(cell for cell in repeated.cells if cell.seed == 1)
    assert alone.weights == swept.weights
    assert alone.recipe["validation"] == 0.1


def test_trials_are_ranked_best_first(small_file):
    trials = make_trials("gcn-7x7", small_file, grid={"epochs": (1, 3)}, config={})
    cells = tuple(train_trial(trial, seed) for trial in trials for seed in (0, 1))
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
    (trial,) = make_trials("gcn-7x7", str(tmp_path / "two.safetensors"), grid={"epochs": (1,)}, config={})
    assert (trial.config["classes"], trial.config["channels"]) == (2, 3)
    assert train_trial(trial, 0).metrics["val_accuracy"] >= 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grid", "lr="), "lr has no value"),
        (("--grid", "lr"), "'lr' is not NAME=VALUE"),
        (("--seeds", "0"), "'0' gives no seeds"),
        (("--seeds", "0,-1"), "or a negative one"),
        (("--jobs", "0"), "0 is not in the range"),
        (("--grid", "lrr=0.1"), "did you mean lr"),
        (("--config", "widht=3"), "takes no 'widht'"),
        (("--recipe", "nothing"), "nothing"),
        (("--metric", "val_f1", "--epochs", "1"), "has no 'val_f1'; it has val_loss, val_accuracy"),
    ],
)
def test_impossible_sweeps_are_refused(small_file, tmp_path, capsys, arguments, message, monkeypatch):
    monkeypatch.setattr("zoo.tuning.sweep.run_tasks", run_in_this_process)
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "gcn-7x7", small_file, "--out", str(tmp_path / "out.jsonl"), *arguments])
    assert ended.value.code in (1, 2)
    assert message in capsys.readouterr().err


def run_in_this_process(tasks, function, *, jobs, initializer):
    """Run the tasks in this process, which has imported torch already."""
    return (TaskResult(task, function(task), "") for task in tasks)
