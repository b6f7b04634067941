"""`torchrun -m zoo fit` trains in two processes as one does with the same global batch; one of them shows and saves."""

import json
import os
import subprocess
import sys

import pytest

import zoo
from tests.support import forked_cli
from zoo.data.readers.archives import write_safetensors

LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "zoo")
WORDS = ("--epochs", "2", "--seed", "0", "--device", "cpu", "--set", "kernels=torch", "--json")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    data = zoo.dataset("fashion-mnist-7x7")
    write_safetensors({"train": data.train.take(1283), "test": data.test.take(333)}, folder / "few.safetensors", {})
    return folder


@pytest.fixture(scope="module")
def pair(place):
    words = ("fit", "gcn-7x7", str(place / "few.safetensors"), *WORDS, "--set", "batch_size=32", "--save", "pair")
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *LAUNCH, *words], capture_output=True, text=True, env=env, cwd=place)
    assert done.returncode == 0, done.stderr
    return done


def test_one_process_shows_writes_and_saves(pair, place):
    assert pair.stderr.count("val accuracy") == 1
    assert sorted(path.name for path in place.iterdir()) == ["few.safetensors", "pair"]
    assert not (place / "pair" / "checkpoints").exists()
    assert list(zoo.load(place / "pair").history) == json.loads(pair.stdout)["history"]


def test_the_scores_are_those_of_one_process_with_the_same_global_batch(pair, place):
    words = ("--set", "batch_size=64", "--save", str(place / "alone"))
    alone = forked_cli.zoo("fit", "gcn-7x7", str(place / "few.safetensors"), *WORDS, *words)
    assert alone.returncode == 0, f"{alone.returncode}: {alone.stderr}"
    for ours, theirs in zip(*(json.loads(each.stdout)["history"] for each in (pair, alone)), strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            print(f"epoch {ours['epoch']}: {name} {ours[name]:.7f} in two processes, {theirs[name]:.7f} in one")
            assert ours[name] == pytest.approx(theirs[name], rel=1e-5)
