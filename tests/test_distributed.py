"""Two processes train as one with the same global batch does."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import hashlib, json, os, sys
import zoo

data = zoo.dataset("fashion-mnist-7x7")
size = 32 if "RANK" in os.environ else 64
model = zoo.create("gcn-7x7", seed=0).fit(
    data.train.take(1280), validation=data.test.take(333), epochs=2, batch_size=size, device="cpu"
)
weights = b"".join(weight.detach().numpy().tobytes() for weight in model.net.parameters())
record = {"weights": hashlib.sha256(weights).hexdigest(), "history": list(model.history)}
with open(sys.argv[1] + os.environ.get("RANK", "alone"), "w") as file:
    json.dump(record, file)
"""


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    script, out = folder / "train.py", folder / "record-"
    script.write_text(SCRIPT)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    together = subprocess.run([*launch, str(script), str(out)], check=True, capture_output=True, text=True, env=env)
    subprocess.run([sys.executable, str(script), str(out)], check=True, capture_output=True, env=env)
    read = {name: json.loads((folder / f"record-{name}").read_text()) for name in ("0", "1", "alone")}
    return {**read, "shown": together.stderr}


def test_both_processes_end_with_the_same_weights_and_history(records):
    assert records["0"]["weights"] == records["1"]["weights"]
    for first, second in zip(records["0"]["history"], records["1"]["history"], strict=True):
        assert {k: v for k, v in first.items() if "second" not in k} == {
            k: v for k, v in second.items() if "second" not in k
        }


def test_the_scores_are_those_of_one_process_with_the_same_global_batch(records):
    for ours, alone in zip(records["0"]["history"], records["alone"]["history"], strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            print(f"epoch {ours['epoch']}: {name} {ours[name]:.6f} in two processes, {alone[name]:.6f} in one")
            assert ours[name] == pytest.approx(alone[name], rel=1e-3, abs=0.004)


def test_one_process_shows_progress(records):
    assert records["shown"].count("val accuracy") == 1
