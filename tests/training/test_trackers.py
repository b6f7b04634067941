"""The history goes to trackers by name; one that fails costs its curve and nothing else."""

import json
import os
import socket
import sqlite3
import struct
from importlib.util import find_spec

import pytest
from accelerate.tracking import LOGGER_TYPE_TO_CLASS

import zoo
from tests.support import forked_cli
from zoo.data.readers.archives import write_safetensors
from zoo.errors import ConfigError


@pytest.fixture(scope="module")
def data():
    return zoo.dataset("fashion-mnist-7x7").train.take(128, seed=0)


def fit(data, **how):
    return zoo.create("gcn-7x7", seed=0).fit(data, **{"epochs": 2, "progress": False, "device": "cpu", **how})


def few(folder):
    """Write a few images into a folder; return the file."""
    write_safetensors({"train": zoo.dataset("fashion-mnist-7x7").train.take(128)}, folder / "few.safetensors", {})
    return str(folder / "few.safetensors")


def events(folder):
    """Return the records of the TensorBoard files in a folder: their length, a checksum, bytes, a checksum."""
    found = []
    for path in folder.rglob("events.out.tfevents.*"):
        data, place = path.read_bytes(), 0
        while place < len(data):
            (length,) = struct.unpack("<Q", data[place : place + 8])
            found.append(data[place + 12 : place + 12 + length])
            place += 16 + length
    return found


def test_tensorboard_gets_a_value_of_each_column_an_epoch(data, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event

    model = fit(data, trackers="tensorboard", checkpoint=tmp_path / "run")
    scalars = {}
    for record in events(tmp_path / "run"):
        event = Event.FromString(record)
        for value in event.summary.value:
            if value.HasField("simple_value"):
                scalars.setdefault(value.tag, {})[event.step] = value.simple_value
    for name in ("loss", "accuracy", "lr"):
        assert scalars[name] == {row["epoch"]: pytest.approx(row[name], rel=1e-6) for row in model.history}


@pytest.mark.skipif(find_spec("trackio") is None, reason="trackio is not installed")
def test_trackio_gets_rows_and_settings_in_a_folder_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it asks the network"))
    words = ("--track", "trackio", "--epochs", "2", "--seed", "3", "--json", "--save", str(tmp_path / "run"))
    done = forked_cli.zoo("fit", "gcn-7x7", few(tmp_path), *words)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout[: done.stdout.rindex("}") + 1])["history"]
    with sqlite3.connect(tmp_path / "trackio" / "gcn-7x7.db") as kept:
        metrics = [(step, json.loads(text)) for step, text in kept.execute("select step, metrics from metrics")]
        ((config,),) = kept.execute("select config from configs")
    assert [(step, each["loss"]) for step, each in metrics] == [(row["epoch"], row["loss"]) for row in rows]
    told = json.loads(config)
    assert (told["model"], told["seed"], told["lr"], told["size"]) == ("gcn-7x7", 3, 0.01, "(7, 7)")


class Broken:
    """A tracker whose service is down."""

    name, requires_logging_directory, calls = "broken", False, []

    def __init__(self, project):
        self.calls.append(project)

    def store_init_configuration(self, config):
        self.calls.append(config["lr"])

    def log(self, values, step):
        self.calls.append(step)
        raise OSError("no answer")

    def finish(self):
        self.calls.append("finished")


def test_a_tracker_that_fails_is_told_once_and_training_goes_on(data, monkeypatch):
    monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, "tensorboard", Broken)
    with pytest.warns(UserWarning, match="tensorboard failed and is not called again: OSError: no answer") as told:
        model = fit(data, trackers="tensorboard")
    assert len(told) == 1
    assert Broken.calls == ["gcn-7x7", 0.01, 1]
    assert len(model.history) == 2


def test_what_is_sent_changes_nothing_of_what_is_trained(data, tmp_path):
    pytest.importorskip("tensorboard")
    plain, sent = fit(data), fit(data, trackers=("tensorboard",), checkpoint=tmp_path / "run")
    assert plain.history["loss"] == sent.history["loss"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tensorbord", "did you mean tensorboard"),
        ("wandb", "wandb is not installed; pip install"),
        (5, "trackers is the name of a tracker, such as 'tensorboard', or several, not 5"),
        ([5], "no tracker 5; accelerate knows"),
    ],
)
def test_a_tracker_that_is_not_there_is_refused_before_training(data, name, said):
    if name == "wandb" and os.environ.get("WANDB_API_KEY"):
        pytest.skip("wandb may be here")
    with pytest.raises(ConfigError, match=said):
        fit(data, trackers=name)


def test_the_history_is_on_the_disk_while_training_runs(data, tmp_path):
    seen = []

    class Look:
        def on_step(self, training):
            path = tmp_path / "run" / "history.jsonl"
            seen.append(len(path.read_text().splitlines()) if path.exists() else 0)

        def on_epoch(self, training):
            pass

    model = fit(data, epochs=3, batch_size=64, checkpoint=tmp_path / "run", callbacks=[Look()])
    assert seen == [0, 0, 1, 1, 2, 2]
    assert (tmp_path / "run" / "history.jsonl").read_text() == model.history.to_jsonl()
