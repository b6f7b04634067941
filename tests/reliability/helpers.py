"""Shared helpers of the reliability tests: the long form, small models, hashes and processes."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import torch

import zoo

LONG = os.environ.get("ZOO_LONG") == "1"
"""Whether to run the long form: every byte length, all bit flips, fifty kills."""
TESTS = Path(__file__).parents[1]


def make_small_model(hidden=(4, 8), seed=0):
    """Return a small trained model with a history, a recipe and a score."""
    train = zoo.dataset("fashion-mnist-7x7").train.take(128, seed=0)
    model = zoo.create("gcn-7x7", seed=seed, hidden=hidden).fit(train, epochs=1, progress=False)
    model.evaluate(train, store=True)
    return model


def hash_weights(model):
    """Return a hash of a net's weights and buffers: names, dtypes, shapes and all bits."""
    result = hashlib.sha256()
    for name, tensor in sorted(model.net.state_dict().items()):
        result.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        result.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return result.hexdigest()


def hash_model(model):
    """Return a hash of everything that loading could change in a model."""
    names = ("classes", "preprocessing", "recipe", "data", "scores", "license", "reference", "base", "card")
    rest = [list(model.history), *(getattr(model, name) for name in names)]
    rest += [model.config, model.seed, model.net.training]
    return hashlib.sha256(f"{hash_weights(model)} {rest!r}".encode()).hexdigest()


def start_process(source, *args):
    """Start a Python process that can import the tests' modules."""
    path = os.pathsep.join([str(TESTS), str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", dedent(source), *map(str, args)], env=settings, **streams)


def run_process(source, *args):
    """Run a Python process that must succeed; return the JSON of the last line it prints."""
    child = start_process(source, *args)
    out, _ = child.communicate(timeout=300)
    assert child.returncode == 0, "see its errors above"
    return json.loads(out.splitlines()[-1])


def list_siblings(folder):
    """Return the names in a folder's parent, without the folder itself."""
    return sorted(path.name for path in folder.parent.iterdir() if path != folder)
