"""The history goes to trackers by name; a tracker that fails does not end training."""

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


def fit(data, **options):
    return zoo.create("gcn-7x7", seed=0).fit(data, **{"epochs": 2, "progress": False, "device": "cpu", **options})


def write_few_images(folder):
    """Write a few images into a folder; return the path of the file."""
    write_safetensors({"train": zoo.dataset("fashion-mnist-7x7").train.take(128)}, folder / "few.safetensors", {})
    return str(folder / "few.safetensors")


def read_events(folder):
    """Return the records of the TensorBoard files in a folder; each has a length, a checksum, bytes and a checksum."""
    records = []
    for path in folder.rglob("events.out.tfevents.*"):
        data, offset = path.read_bytes(), 0
        while offset < len(data):
            (length,) = struct.unpack("<Q", data[offset : offset + 8])
            records.append(data[offset + 12 : offset + 12 + length])
            offset += 16 + length
    return records


def test_tensorboard_gets_each_column_once_per_epoch(data, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event

    model = fit(data, trackers="tensorboard", checkpoint=tmp_path / "run")
    scalars = {}
    for record in read_events(tmp_path / "run"):
        event = Event.FromString(record)
        for value in event.summary.value:
            if value.HasField("simple_value"):
                scalars.setdefault(value.tag, {})[event.step] = value.simple_value
    for name in ("loss", "accuracy", "lr"):
        assert scalars[name] == {row["epoch"]: pytest.approx(row[name], rel=1e-6) for row in model.history}


@pytest.mark.skipif(find_spec("trackio") is None, reason="trackio is not installed")
def test_trackio_gets_rows_and_settings_in_a_folder_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it connects to the network"))
    options = ("--track", "trackio", "--epochs", "2", "--seed", "3", "--json", "--save", str(tmp_path / "run"))
    done = forked_cli.zoo("fit", "gcn-7x7", write_few_images(tmp_path), *options)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout[: done.stdout.rindex("}") + 1])["history"]
    with sqlite3.connect(tmp_path / "trackio" / "gcn-7x7.db") as database:
        metrics = [(step, json.loads(text)) for step, text in database.execute("select step, metrics from metrics")]
        ((config,),) = database.execute("select config from configs")
    assert [(step, each["loss"]) for step, each in metrics] == [(row["epoch"], row["loss"]) for row in rows]
    settings = json.loads(config)
    assert (settings["model"], settings["seed"], settings["lr"], settings["size"]) == ("gcn-7x7", 3, 0.01, "(7, 7)")


class BrokenTracker:
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


def test_a_tracker_that_fails_gives_one_warning_and_training_goes_on(data, monkeypatch):
    monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, "tensorboard", BrokenTracker)
    with pytest.warns(UserWarning, match="tensorboard failed and is not called again: OSError: no answer") as warned:
        model = fit(data, trackers="tensorboard")
    assert len(warned) == 1
    assert BrokenTracker.calls == ["gcn-7x7", 0.01, 1]
    assert len(model.history) == 2


def test_a_tracker_does_not_change_the_training(data, tmp_path):
    pytest.importorskip("tensorboard")
    plain, tracked = fit(data), fit(data, trackers=("tensorboard",), checkpoint=tmp_path / "run")
    assert plain.history["loss"] == tracked.history["loss"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tensorbord", "did you mean tensorboard"),
        ("wandb", "wandb is not installed; pip install"),
        (5, "trackers is the name of a tracker, such as 'tensorboard', or several, not 5"),
        ([5], "no tracker 5; accelerate knows"),
    ],
)
def test_an_unknown_tracker_is_refused_before_training(data, name, message):
    if name == "wandb" and os.environ.get("WANDB_API_KEY"):
        pytest.skip("wandb may be installed")
    with pytest.raises(ConfigError, match=message):
        fit(data, trackers=name)


def test_the_history_is_on_the_disk_while_training_runs(data, tmp_path):
    num_lines = []

    class CountLines:
        def on_step(self, training):
            path = tmp_path / "run" / "history.jsonl"
            num_lines.append(len(path.read_text().splitlines()) if path.exists() else 0)

        def on_epoch(self, training):
            pass

    model = fit(data, epochs=3, batch_size=64, checkpoint=tmp_path / "run", callbacks=[CountLines()])
    assert num_lines == [0, 0, 1, 1, 2, 2]
    assert (tmp_path / "run" / "history.jsonl").read_text() == model.history.to_jsonl()
