"""Runs in a shell: stopped by a signal, listed, gone on with, and what they leave."""

import json
import os
import signal
import threading
import time
import warnings
from pathlib import Path

import pytest
import torch

import zoo
from zoo.training.checkpoint import run_file as record

WORDS = ("--seed", "0", "--quiet", "--set", "batch_size=16", "--set", "ema=0.9", "--epochs", "3")


@pytest.fixture
def few(tmp_path):
    """Write a file of 320 training images."""
    from zoo.data.readers.archives import write_safetensors

    data = zoo.dataset("fashion-mnist-7x7")
    write_safetensors({"train": data.train.take(320), "test": data.test.take(50)}, tmp_path / "few.safetensors", {})
    return "./few.safetensors"


@pytest.fixture
def soon():
    """Return what sends this process a signal as soon as a run has a step that is kept."""
    threads = []

    def send(number, folder):
        def wait():
            places = Path(folder) / "checkpoints"
            while not any(path.name.endswith("10") for path in places.glob("0*")):
                time.sleep(0.001)
            os.kill(os.getpid(), number)

        threads.append(threading.Thread(target=wait, daemon=True))
        threads[-1].start()

    yield send
    for thread in threads:
        thread.join(10)


def weights(folder):
    return torch.cat([each.flatten() for each in zoo.load(folder).net.state_dict().values()])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_how_to_go_on_and_ends_as_if_it_never_was(run, few, soon, number, code):
    assert run("fit", "gcn-7x7", few, *WORDS, "--every", "never", "--save", "./whole")[0] == 0
    soon(number, "runs/gcn-7x7")
    ended, _, err = run("fit", "gcn-7x7", few, *WORDS, "--every", "5 steps")
    assert ended == code
    assert "Resume with: zoo fit --resume" in err
    (row,) = json.loads(run("runs", "--json")[1])
    assert (row["state"], row["model"], row["epochs"]) == ("interrupted", "gcn-7x7", 3)
    assert row["resume"].startswith("zoo fit --resume runs")
    assert "interrupted" in run("runs")[1]
    assert run("fit", "gcn-7x7", few, "--save", "runs/gcn-7x7")[2].count("zoo fit --resume runs/gcn-7x7,") == 1
    assert run(*row["resume"].split()[1:], "--quiet")[0] == 0
    assert torch.equal(weights("./runs/gcn-7x7"), weights("./whole"))
    (row,) = json.loads(run("runs", "--json")[1])
    assert (row["state"], row["epoch"], row["resume"]) == ("done", 3, "")
    assert not Path("runs/gcn-7x7/checkpoints").exists()


def test_a_run_that_nobody_holds_any_more_was_killed(run, few):
    assert run("fit", "gcn-7x7", few, *WORDS)[0] == 0
    folder = Path("runs/gcn-7x7")
    told = record.read_record(folder)
    record.write_record(folder, told.replace(state="running"))
    assert json.loads(run("runs", "--json")[1])[0]["state"] == "killed"
    record.write_record(folder, told.replace(state="running", host="another machine"))
    assert json.loads(run("runs", "--json")[1])[0]["state"] == "running"
    (folder / "run.json").write_text("{}")
    assert json.loads(run("runs", "--json")[1])[0]["state"] == "damaged"


def test_what_cannot_be_gone_on_with_says_why(run, few, tmp_path):
    assert "has no run" in run("fit", "--resume", "nothing")[2]
    code, _, err = run("fit", "gcn-7x7", few, "--resume", "nothing", "--epochs", "3")
    assert (code, "leave out" in err, "--epochs" in err) == (2, True, True)
    assert run("fit", "gcn-7x7")[0] == 2
    zoo.create("gcn-7x7", seed=0).fit(zoo.dataset(few).train, epochs=1, progress=False, checkpoint="python")
    assert "was begun in Python; resume it there: fit(..., checkpoint=" in run("fit", "--resume", "python")[2]
    assert "no runs in elsewhere" in run("runs", "elsewhere")[1]
    assert "every is such as" in run("fit", "gcn-7x7", few, "--every", "often")[2]


@pytest.fixture
def stopped(run, few, soon):
    """Stop a run; return its folder."""
    soon(signal.SIGINT, "runs/gcn-7x7")
    assert run("fit", "gcn-7x7", few, *WORDS, "--every", "5 steps")[0] == 130
    return Path("runs/gcn-7x7")


def test_a_run_goes_on_with_another_way_of_looking_at_it(run, stopped):
    words = ("--resume", str(stopped), "--quiet", "--on-nan", "skip", "--every", "2 epochs")
    assert run("fit", *words)[0] == 0
    assert len(zoo.load(stopped.resolve()).history) == 3


def test_what_a_run_learns_stays_and_it_keeps_on_writing_checkpoints(run, stopped):
    code, _, err = run("fit", "--resume", str(stopped), "--seed", "1")
    assert (code, "leave out '--seed'" in err) == (2, True)
    code, _, err = run("fit", "--resume", str(stopped), "--every", "never")
    assert (code, "leave out --every never" in err) == (2, True)


def test_a_run_that_ended_before_it_was_saved_says_so_and_is_gone_on_with(run, few):
    sets, words = zoo.dataset(few), {"epochs": 1, "batch_size": 16}
    zoo.create("gcn-7x7", seed=0).fit(sets.train, progress=False, checkpoint="runs/late", **words)
    told = record.read_record(Path("runs/late"))
    command = {"model": "gcn-7x7", "config": {}, "seed": 0, "dtype": "float32", "license": "", "data": few}
    command |= {"recipe": None, "changes": words, "device": None, "every": "epoch", "on_nan": "stop"}
    command |= {"is_on_disk": False, "track": [], "callbacks": [], "grids": None}
    record.write_record(Path("runs/late"), told.replace(command=command))
    (row,) = json.loads(run("runs", "--json")[1])
    assert (row["state"], row["resume"]) == ("not saved", "zoo fit --resume runs/late")


def test_a_set_stays_on_the_disk_and_trains_the_same(run, few):
    for words in (("--save", "memory"), ("--save", "disk", "--on-disk")):
        assert run("fit", "gcn-7x7", few, *WORDS, *words)[0] == 0
    assert torch.equal(weights("./memory"), weights("./disk"))
    assert "lazy=True reads only those" in run("fit", "gcn-7x7", "fashion-mnist-7x7", "--on-disk")[2]


def test_a_warning_is_one_line(run, monkeypatch):
    seen, before = [], warnings.formatwarning

    def found(place):
        seen.append(warnings.formatwarning("odd", UserWarning, "x", 1))
        return []

    monkeypatch.setattr(record, "find_runs", found)
    run("runs")
    assert seen == ["warning: odd\n"]
    assert warnings.formatwarning is before


def test_a_run_that_failed_says_why_and_how_to_go_on_in_python(run, few):
    with pytest.raises(zoo.errors.TrainingError):
        zoo.create("gcn-7x7", seed=0).fit(
            zoo.dataset(few).train, lr=1e30, kernels="torch", epochs=3, progress=False, checkpoint="runs/fast"
        )
    _, out, _ = run("runs")
    assert "fit(..., checkpoint='runs/fast', resume=True)" in out
    assert "runs/fast: the loss of 'net' is nan at step" in out
    assert "zoo runs --json shows all" in out
