"""What the lines of the bar share: how long they run, what a model is made of, and processes to try it in."""

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
"""Run the long forms: every byte length, all flips, fifty kills."""
TESTS = Path(__file__).parents[1]


def small_model(hidden=(4, 8), seed=0):
    """Return a small trained model with everything a saved one can have: a history, a recipe, a score."""
    train = zoo.dataset("fashion-mnist-7x7").train.take(128, seed=0)
    model = zoo.create("gcn-7x7", seed=seed, hidden=hidden).fit(train, epochs=1, progress=False)
    model.evaluate(train, store=True)
    return model


def weights_digest(model):
    """Return one hash of a net's weights and buffers: names, types, shapes and every bit."""
    told = hashlib.sha256()
    for name, tensor in sorted(model.net.state_dict().items()):
        told.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        told.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return told.hexdigest()


def digest(model):
    """Return one hash of all that loading could change: weights, classes, preprocessing, history and the rest."""
    names = ("classes", "preprocessing", "recipe", "data", "scores", "license", "reference", "base", "card")
    rest = [list(model.history), *(getattr(model, name) for name in names)]
    rest += [model.config, model.seed, model.net.training]
    return hashlib.sha256(f"{weights_digest(model)} {rest!r}".encode()).hexdigest()


def process(source, *words):
    """Start a Python process with the tests' modules at hand."""
    path = os.pathsep.join([str(TESTS), str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", dedent(source), *map(str, words)], env=settings, **streams)


def answer(source, *words):
    """Run a Python process to its good end, and return the JSON of the last line it prints."""
    started = process(source, *words)
    out, _ = started.communicate(timeout=300)
    assert started.returncode == 0, "see its errors above"
    return json.loads(out.splitlines()[-1])


def beside(folder):
    """Return what lies in a folder's parent, the folder itself left out."""
    return sorted(path.name for path in folder.parent.iterdir() if path != folder)
