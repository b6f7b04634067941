"""Runs in a shell: stopped by a signal, listed, gone on with, and what they leave."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch

import zoo
from zoo.run import record

WORDS = ("--seed", "0", "--quiet", "--set", "batch_size=16", "--set", "ema=0.9", "--epochs", "3")


@pytest.fixture
def few(tmp_path):
    """Write a file of 320 training images."""
    from zoo.data.sources.packed import write_safetensors

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
    assert "Go on with: zoo fit --resume" in err
    (row,) = json.loads(run("runs", "--json")[1])
    assert (row["state"], row["model"], row["epochs"]) == ("interrupted", "gcn-7x7", 3)
    assert row["resume"].startswith("zoo fit --resume runs")
    assert "interrupted" in run("runs")[1]
    assert run("fit", "gcn-7x7", few, "--save", "runs/gcn-7x7")[2].count("zoo fit --resume runs/gcn-7x7 goes on") == 1
    assert run(*row["resume"].split()[1:], "--quiet")[0] == 0
    assert torch.equal(weights("./runs/gcn-7x7"), weights("./whole"))
    (row,) = json.loads(run("runs", "--json")[1])
    assert (row["state"], row["epoch"], row["resume"]) == ("done", 3, "")
    assert not Path("runs/gcn-7x7/checkpoints").exists()


def test_a_run_that_nobody_holds_any_more_was_killed(run, few):
    assert run("fit", "gcn-7x7", few, *WORDS)[0] == 0
    folder = Path("runs/gcn-7x7")
    told = record.read(folder)
    record.write(folder, told.changed(state="running"))
    assert json.loads(run("runs", "--json")[1])[0]["state"] == "killed"
    record.write(folder, told.changed(state="running", host="another machine"))
    assert json.loads(run("runs", "--json")[1])[0]["state"] == "running"
    (folder / "run.json").write_text("{}")
    assert json.loads(run("runs", "--json")[1])[0]["state"] == "damaged"


def test_what_cannot_be_gone_on_with_says_why(run, few, tmp_path):
    assert "holds no run" in run("fit", "--resume", "nothing")[2]
    code, _, err = run("fit", "gcn-7x7", few, "--resume", "nothing", "--epochs", "3")
    assert (code, "leave out" in err, "--epochs" in err) == (2, True, True)
    assert run("fit", "gcn-7x7")[0] == 2
    zoo.create("gcn-7x7", seed=0).fit(zoo.dataset(few).train, epochs=1, progress=False, checkpoint="python")
    assert "was begun in Python; go on there: fit(..., checkpoint=" in run("fit", "--resume", "python")[2]
    assert "no runs in elsewhere" in run("runs", "elsewhere")[1]
    assert "every is such as" in run("fit", "gcn-7x7", few, "--every", "often")[2]
