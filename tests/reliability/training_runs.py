"""Nets of four families, their trainings, and a server that runs functions in forks.

This module runs in its own process, and forks from there.

"""

import functools
import hashlib
import json
import os
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from faulty_saves import fork, run_in_fork, wait_for
from torch import nn

import zoo
from zoo import ModelSpec, Recipe
from zoo.data import Loader
from zoo.errors import ZooError
from zoo.factory.assemble import ModelParts
from zoo.factory.build import bind_config, build_net
from zoo.factory.provider import default_preprocessing
from zoo.files.state_codec import encode_state
from zoo.model import Model
from zoo.saving.history import History
from zoo.saving.manifest import Origin
from zoo.seeding import use_seed
from zoo.signature import Classes, Preprocessing
from zoo.tasks import Loss
from zoo.training.checkpoint.fingerprint import capture_start
from zoo.training.checkpoint.run import open_run
from zoo.training.checkpoint.store import CheckpointStore
from zoo.training.trainer import Trainer

torch.set_num_threads(1)
EPOCHS, BATCH, STEPS = 3, 32, 5


class DropoutNet(nn.Module):
    """A small make_classifier with running statistics and dropout."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten()
        )
        self.head = nn.Linear(4 * (size[0] - 2) * (size[1] - 2), classes)

    def forward(self, load_images):
        return self.head(self.layers(load_images))


class PairNet(nn.Module):
    """A generator and a critic of 7 x 7 images."""

    def __init__(self, noise=4):
        super().__init__()
        self.noise = noise
        self.generator = nn.Sequential(nn.Linear(noise, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 49))
        self.critic = nn.Sequential(nn.Linear(49, 16), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(16, 1))


class Adversaries:
    """A task with two players: the critic steps first, then the generator against the stepped critic."""

    def players(self, net):
        return {"critic": net.critic, "generator": net.generator}

    def losses(self, nets, batch):
        real, num = batch.images.flatten(1).float() / 255, len(batch.images)
        samples = nets["generator"](torch.randn(num, 4))
        loss = F.softplus(-nets["critic"](real)).mean() + F.softplus(nets["critic"](samples.detach())).mean()
        yield Loss("critic", loss, {"critic_loss": (loss.detach() * num, num)})
        nets["critic"].requires_grad_(False)
        loss = F.softplus(-nets["critic"](samples)).mean()
        nets["critic"].requires_grad_(True)
        yield Loss("generator", loss, {"loss": (loss.detach() * num, num)})

    def predict(self, nets, load_images):
        return nets["critic"](load_images.flatten(1).float() / 255)

    def tally(self, nets, batch):
        return {"real": (self.predict(nets, batch.images).sum(), len(batch.images))}


@functools.cache
def load_images():
    return zoo.dataset("fashion-mnist-7x7").train.take(STEPS * BATCH + 7, seed=0)


def make_classifier():
    spec = ModelSpec(name="dropped", summary="a toy", build="training_runs:DropoutNet", size=(7, 7))
    config = bind_config(spec, {})
    origin = Origin(plugin="toys", distribution="zoo-toys", version="1")
    net, preprocessing = build_net(spec, config, 0), default_preprocessing(spec, config)
    return Model(ModelParts(spec, origin, config, net, seed=0, preprocessing=preprocessing))


def make_graph_net():
    options = (("heads", 2), ("dropout", 0.2))
    return zoo.create("graph-classifier", seed=0, encoder="gps", options=options, blocks=1, width=8)


def make_stack():
    return zoo.create("gcn-7x7", seed=0, hidden=(4, 8))


RECIPES = {
    "classifier": {
        "ema": 0.9,
        "mixup": 0.2,
        "augment": ("flip", "shift:1"),
        "accumulate": 2,
        "schedule": "cosine",
        "channels_last": True,
    },
    "stack": {"schedule": "plateau", "step_size": 1, "accumulate": 2},
    "graph": {"optimizer": "adamw", "weight_decay": 0.1, "clip": 1.0, "validation": 0.2, "keep": "best"},
}


def fit(family, folder=None, *, callbacks=(), **options):
    """Train a net of a family; with a folder, keep a checkpoint of every second step there."""
    run_options = {"checkpoint": folder, "checkpoint_every": "2 steps", "resume": "auto"} if folder else {}
    if family == "gan":
        return fit_pair(callbacks, {**run_options, **options})
    model = {"classifier": make_classifier, "graph": make_graph_net, "stack": make_stack}[family]()
    recipe = {"epochs": EPOCHS, "batch_size": BATCH, **RECIPES[family]}
    return model.fit(
        load_images(), progress=False, callbacks=callbacks, device="cpu", **{**recipe, **run_options, **options}
    )


class PairModel:
    """What a run depends on of a model, for two players."""

    def __init__(self):
        self.spec = ModelSpec(name="pair", summary="a toy", build="training_runs:PairNet", size=(7, 7))
        self.config, self.seed, self.base, self.history = {}, 0, "", History()
        self.classes, self.preprocessing = Classes.numbered(10), Preprocessing(size=(7, 7), channels=1)
        with use_seed(0):
            self.net = PairNet()


def fit_pair(callbacks, options):
    recipe = Recipe(epochs=EPOCHS, batch_size=BATCH, optimizer="rmsprop", lr=0.01, monitor="loss")
    folder, every = options.get("checkpoint"), options.get("checkpoint_every", "epoch")
    keep, resume = options.get("keep_checkpoints", 2), options.get("resume", False)
    model, train = PairModel(), Loader(load_images(), batch_size=BATCH, seed=0)
    with (
        open_run(folder, checkpoint_every=every, keep_checkpoints=keep, resume=resume) as run,
        use_seed(0),
    ):
        if run:
            run.rewind(model)
        trainer = Trainer(recipe, device=torch.device("cpu"), callbacks=callbacks)
        checkpointer = (
            run.make_checkpointer(model, capture_start(model), recipe, train, None, trainer.environment)
            if run
            else None
        )
        trainer.fit(model.net, Adversaries(), train, None, model.history, checkpointer)
    return model


FAMILIES = ("classifier", "graph", "gan", "stack")
"""A convolutional net, a graph net with attention, two players, and a stack that is trained fused."""
RANDOM_FAMILIES = FAMILIES[:3]
"""The families that use random numbers in training."""


def hash_newest_checkpoint(folder):
    """Return a hash of the newest checkpoint, without the times in it."""
    return hash_state(CheckpointStore(Path(folder)).read_newest().state)


def hash_state(state):
    state = {**state, "seconds": 0}
    state["history"] = [{k: v for k, v in row.items() if "second" not in k} for row in state["history"]]
    tensors = {}
    digest = hashlib.sha256(json.dumps(encode_state(state, tensors), sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def train_reference(root, family):
    """Train without interruption in a fork; return the hash of the result, and the seconds."""
    folder = Path(root) / f"{family}-whole"
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    assert wait_for(fork(fit, family, folder)) == 0
    return hash_newest_checkpoint(folder), time.perf_counter() - start


class SendSignal:
    """Send this process a signal after a step."""

    def __init__(self, step, signal_number):
        self.left, self.signal_number = step, signal_number

    def on_step(self, training):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.signal_number)

    def on_epoch(self, training):
        pass


def train_until_signal(family, folder, step, signal_number, options=None):
    """Train until a signal comes; exit with the code that a shell would report."""
    try:
        defaults = {"callbacks": [SendSignal(step, signal_number)], "checkpoint_every": "1 hour"}
        fit(family, folder, **{**defaults, **(options or {})})
    except KeyboardInterrupt:
        os._exit(130)
    except SystemExit as error:
        os._exit(error.code)


class SignalTwice(SendSignal):
    """Send the signal twice at a step."""

    def on_step(self, training):
        super().on_step(training)
        if self.left == 0:
            os.kill(os.getpid(), self.signal_number)


def count_steps(family):
    num = len(load_images()) if family != "graph" else len(load_images().split(0.2)[0])
    return num // BATCH + int(num % BATCH > 0)


class FullDisk:
    """Limit the size of files from a step on, as on a full disk."""

    def __init__(self, step):
        self.left = step

    def on_step(self, training):
        self.left -= 1
        if self.left == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))

    def on_epoch(self, training):
        pass


def get_refusal(family, folder, options=None):
    try:
        fit(family, folder, **(options or {}))
    except ZooError as error:
        return f"{type(error).__name__}: {error}"
    return "it was resumed"


def _call(modules, name, args):
    module = next(module for module in modules if hasattr(module, name))
    return json.dumps(getattr(module, name)(*args))


def warm_up():
    """Train once with each family, so that forks need not initialize anything."""
    for family in FAMILIES:
        fit(family)


def serve(*modules):
    """Read a function's name and arguments as JSON from each line; print what it returns in a fork."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background processes ignore it by default
    warm_up()
    for line in sys.stdin:
        try:
            result = run_in_fork(_call, modules, *json.loads(line))
        except AssertionError:
            result = "null"
        print(result, flush=True)
