"""Trainings that are killed, stopped, damaged and gone on with. It runs in its own process, and forks from there."""

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
from forge import ended, forked, told_by
from torch import nn

import zoo
from zoo import ModelSpec, Recipe
from zoo import seeding as randomness
from zoo.data import Loader
from zoo.errors import ZooError
from zoo.factory.build import bind_config, build_net
from zoo.files.state_codec import encode_state
from zoo.history import History
from zoo.model import Model
from zoo.saving.manifest import Origin
from zoo.signature import Classes, Preprocessing
from zoo.tasks import Loss
from zoo.training.checkpoint.fingerprint import capture_start
from zoo.training.checkpoint.run import open_run
from zoo.training.checkpoint.store import CheckpointStore
from zoo.training.trainer import Trainer

torch.set_num_threads(1)
EPOCHS, BATCH, STEPS = 3, 32, 5


class Dropped(nn.Module):
    """A small classifier with running statistics and dropout."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten()
        )
        self.head = nn.Linear(4 * (size[0] - 2) * (size[1] - 2), classes)

    def forward(self, images):
        return self.head(self.layers(images))


class Pair(nn.Module):
    """A generator and a critic of 7 x 7 images."""

    def __init__(self, noise=4):
        super().__init__()
        self.noise = noise
        self.generator = nn.Sequential(nn.Linear(noise, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 49))
        self.critic = nn.Sequential(nn.Linear(49, 16), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(16, 1))


class Adversaries:
    """Two players: the critic steps first, then the generator against the critic that has stepped."""

    def players(self, net):
        return {"critic": net.critic, "generator": net.generator}

    def losses(self, nets, batch):
        real, num = batch.images.flatten(1).float() / 255, len(batch.images)
        made = nets["generator"](torch.randn(num, 4))
        loss = F.softplus(-nets["critic"](real)).mean() + F.softplus(nets["critic"](made.detach())).mean()
        yield Loss("critic", loss, {"critic_loss": (loss.detach() * num, num)})
        nets["critic"].requires_grad_(False)
        loss = F.softplus(-nets["critic"](made)).mean()
        nets["critic"].requires_grad_(True)
        yield Loss("generator", loss, {"loss": (loss.detach() * num, num)})

    def predict(self, nets, images):
        return nets["critic"](images.flatten(1).float() / 255)

    def tally(self, nets, batch):
        return {"real": (self.predict(nets, batch.images).sum(), len(batch.images))}


@functools.cache
def images():
    return zoo.dataset("fashion-mnist-7x7").train.take(STEPS * BATCH + 7, seed=0)


def classifier():
    spec = ModelSpec(name="dropped", summary="a toy", build="courses:Dropped", size=(7, 7))
    config = bind_config(spec, {})
    origin = Origin(plugin="toys", distribution="zoo-toys", version="1")
    return Model(spec, origin=origin, config=config, net=build_net(spec, config, 0), seed=0)


def graph():
    options = (("heads", 2), ("dropout", 0.2))
    return zoo.create("graph-classifier", seed=0, encoder="gps", options=options, blocks=1, width=8)


def stack():
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


def fit(family, folder=None, *, callbacks=(), **how):
    """Train one of the families, kept in a folder; every other step is kept."""
    kept = {"checkpoint": folder, "checkpoint_every": "2 steps", "resume": "auto"} if folder else {}
    if family == "gan":
        return fit_pair(callbacks, {**kept, **how})
    model = {"classifier": classifier, "graph": graph, "stack": stack}[family]()
    recipe = {"epochs": EPOCHS, "batch_size": BATCH, **RECIPES[family]}
    return model.fit(images(), progress=False, callbacks=callbacks, device="cpu", **{**recipe, **kept, **how})


class Rivals:
    """What of a model a run depends on, for two players."""

    def __init__(self):
        self.spec = ModelSpec(name="pair", summary="a toy", build="courses:Pair", size=(7, 7))
        self.config, self.seed, self.base, self.history = {}, 0, "", History()
        self.classes, self.preprocessing = Classes.numbered(10), Preprocessing(size=(7, 7), channels=1)
        with randomness.use_seed(0):
            self.net = Pair()


def fit_pair(callbacks, how):
    recipe = Recipe(epochs=EPOCHS, batch_size=BATCH, optimizer="rmsprop", lr=0.01, monitor="loss")
    folder, every, resume = how.get("checkpoint"), how.get("checkpoint_every", "epoch"), how.get("resume", False)
    model, train = Rivals(), Loader(images(), batch_size=BATCH, seed=0)
    with (
        open_run(folder, checkpoint_every=every, keep_checkpoints=how.get("keep_checkpoints", 2), resume=resume) as run,
        randomness.use_seed(0),
    ):
        if run:
            run.rewind(model)
        trainer = Trainer(recipe, device=torch.device("cpu"), callbacks=callbacks)
        keeper = (
            run.make_checkpointer(model, capture_start(model), recipe, train, None, trainer.environment)
            if run
            else None
        )
        trainer.fit(model.net, Adversaries(), train, None, model.history, keeper)
    return model


FAMILIES = ("classifier", "graph", "gan", "stack")
"""A convolutional net, a graph net with attention, two players, and a stack that is trained in one piece."""
RANDOM = FAMILIES[:3]
"""Those that draw random numbers as they train."""


def digest(folder):
    """Return one hash of all that the newest checkpoint holds, but for what a clock showed."""
    kept = CheckpointStore(Path(folder)).read_newest()
    return digest_of(kept.state)


def digest_of(state):
    state = {**state, "seconds": 0}
    state["history"] = [{k: v for k, v in row.items() if "second" not in k} for row in state["history"]]
    tensors = {}
    told = hashlib.sha256(json.dumps(encode_state(state, tensors), sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        told.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        told.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return told.hexdigest()


def reference(place, family):
    """Return the hash of a run that is never stopped, and the seconds it takes in a fork."""
    folder = Path(place) / f"{family}-whole"
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    assert ended(forked(fit, family, folder)) == 0
    return digest(folder), time.perf_counter() - start


class Signal:
    """Send this process a signal after a step."""

    def __init__(self, step, number):
        self.left, self.number = step, number

    def on_step(self, training):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)

    def on_epoch(self, training):
        pass


def stopped(family, folder, step, number, how=None):
    """Train until a signal comes; end with the code that a shell would see."""
    try:
        fit(family, folder, **{"callbacks": [Signal(step, number)], "checkpoint_every": "1 hour", **(how or {})})
    except KeyboardInterrupt:
        os._exit(130)
    except SystemExit as end:
        os._exit(end.code)


class Twice(Signal):
    """Send the signal twice at a step."""

    def on_step(self, training):
        super().on_step(training)
        if self.left == 0:
            os.kill(os.getpid(), self.number)


def steps_of(family):
    num = len(images()) if family != "graph" else len(images().split(0.2)[0])
    return num // BATCH + int(num % BATCH > 0)


class Limit:
    """Leave no room on the disk from a step on."""

    def __init__(self, step):
        self.left = step

    def on_step(self, training):
        self.left -= 1
        if self.left == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))

    def on_epoch(self, training):
        pass


def refusal(family, folder, how=None):
    try:
        fit(family, folder, **(how or {}))
    except ZooError as error:
        return f"{type(error).__name__}: {error}"
    return "it went on"


def _called(rooms, name, words):
    room = next(room for room in rooms if hasattr(room, name))
    return json.dumps(getattr(room, name)(*words))


def warm():
    """Do once what takes long the first time, so that forks need not."""
    for family in FAMILIES:
        fit(family)


def serve(*rooms):
    """Answer each line, a function's name in one of the modules and words as JSON, with what a fork of this returns."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what is begun in the background ignores it
    warm()
    for line in sys.stdin:
        try:
            told = told_by(_called, rooms, *json.loads(line))
        except AssertionError:
            told = "null"
        print(told, flush=True)
