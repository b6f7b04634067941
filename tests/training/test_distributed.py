"""`torchrun -m zoo fit` in two processes gives the scores of one process with the same global batch."""

import json
import os
import subprocess
import sys

import pytest

import zoo
from tests.support import forked_cli
from zoo.data.readers.archives import write_safetensors

LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "zoo")
OPTIONS = ("--epochs", "2", "--seed", "0", "--device", "cpu", "--set", "kernels=torch", "--json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    data = zoo.dataset("fashion-mnist-7x7")
    write_safetensors({"train": data.train.take(1283), "test": data.test.take(333)}, folder / "few.safetensors", {})
    return folder


@pytest.fixture(scope="module")
def pair(folder):
    options = ("fit", "gcn-7x7", str(folder / "few.safetensors"), *OPTIONS, "--set", "batch_size=32", "--save", "pair")
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *LAUNCH, *options], capture_output=True, text=True, env=env, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done


def test_only_the_first_process_shows_progress_and_saves(pair, folder):
    assert pair.stderr.count("val accuracy") == 1
    assert sorted(path.name for path in folder.iterdir()) == ["few.safetensors", "pair"]
    assert not (folder / "pair" / "checkpoints").exists()
    assert list(zoo.load(folder / "pair").history) == json.loads(pair.stdout)["history"]


def test_the_scores_equal_those_of_one_process(pair, folder):
    options = ("--set", "batch_size=64", "--save", str(folder / "alone"))
    alone = forked_cli.zoo("fit", "gcn-7x7", str(folder / "few.safetensors"), *OPTIONS, *options)
    assert alone.returncode == 0, f"{alone.returncode}: {alone.stderr}"
    for row, expected in zip(*(json.loads(each.stdout)["history"] for each in (pair, alone)), strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            print(f"epoch {row['epoch']}: {name} {row[name]:.7f} in two processes, {expected[name]:.7f} in one")
            assert row[name] == pytest.approx(expected[name], rel=1e-5)
