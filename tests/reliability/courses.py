"""Trainings that are killed, stopped, damaged and gone on with. It runs in its own process, and forks from there."""

import copy
import functools
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import socket
import sys
import time
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from forge import ended, forked, told_by
from torch import nn

import zoo
from zoo import ModelSpec, Recipe, optim, randomness
from zoo.build import bound, built
from zoo.data import Loader
from zoo.errors import ZooError
from zoo.history import History
from zoo.manifest import Origin
from zoo.model import Model
from zoo.run import state as state_room
from zoo.run.opening import opened
from zoo.run.start import start_of
from zoo.run.store import Store
from zoo.run.tree import apart
from zoo.signature import Classes, Preprocessing
from zoo.tasks import Loss
from zoo.trainer import Trainer

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
    config = bound(spec, {})
    origin = Origin(plugin="toys", distribution="zoo-toys", version="1")
    return Model(spec, origin=origin, config=config, net=built(spec, config, 0), seed=0)


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
    kept = {"checkpoint": folder, "every": "2 steps", "resume": "auto"} if folder else {}
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
        with randomness.isolated(0):
            self.net = Pair()


def fit_pair(callbacks, how):
    recipe = Recipe(epochs=EPOCHS, batch_size=BATCH, optimizer="rmsprop", lr=0.01, monitor="loss")
    folder, every, resume = how.get("checkpoint"), how.get("every", "epoch"), how.get("resume", False)
    model, train = Rivals(), Loader(images(), batch_size=BATCH, seed=0)
    with opened(folder, every=every, newest=how.get("newest", 2), resume=resume) as run, randomness.isolated(0):
        if run:
            run.rewind(model)
        trainer = Trainer(recipe, device=torch.device("cpu"), callbacks=callbacks)
        keeper = run.kept(model, start_of(model), recipe, train, None, trainer.place) if run else None
        trainer.fit(model.net, Adversaries(), train, None, model.history, keeper)
    return model


FAMILIES = ("classifier", "graph", "gan", "stack")
"""A convolutional net, a graph net with attention, two players, and a stack that is trained in one piece."""
RANDOM = FAMILIES[:3]
"""Those that draw random numbers as they train."""


def digest(folder):
    """Return one hash of all that the newest checkpoint holds, but for what a clock showed."""
    kept = Store(Path(folder)).good()
    return digest_of(kept.state)


def digest_of(state):
    state = {**state, "seconds": 0}
    state["history"] = [{k: v for k, v in row.items() if "second" not in k} for row in state["history"]]
    tensors = {}
    told = hashlib.sha256(json.dumps(apart(state, tensors), sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        told.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        told.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return told.hexdigest()


def parts_of(folder):
    """Return a hash of each part of the newest checkpoint, to name what differs."""
    state = Store(Path(folder)).good().state
    parts = {name: {"history": [], **{name: value}} for name, value in state.items()}
    return {name: digest_of(part) for name, part in parts.items()}


def reference(place, family):
    """Return the hash of a run that is never stopped, and the seconds it takes in a fork."""
    folder = Path(place) / f"{family}-whole"
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    assert ended(forked(fit, family, folder)) == 0
    return digest(folder), time.perf_counter() - start


def kills(place, runs, wanted):
    """Kill `wanted` trainings in all, by chance, in so many runs of each family; return counts of what came of it."""
    draw, found = random.Random(0), {"runs": 0, "killed": 0, "identical": 0}
    whole = {family: reference(place, family) for family in FAMILIES}
    while found["runs"] < runs or found["killed"] < wanted:
        family = FAMILIES[found["runs"] % len(FAMILIES)]
        folder = Path(place) / f"{family}-{found['runs']}"
        expected, seconds = whole[family]
        for _ in range(1 + found["runs"] % 2):
            child = forked(fit, family, folder)
            time.sleep(draw.uniform(0, 0.7 * seconds))
            os.kill(child, signal.SIGKILL)
            found["killed"] += ended(child) == -signal.SIGKILL
        assert ended(forked(fit, family, folder)) == 0
        found["runs"] += 1
        found["identical"] += digest(folder) == expected
        left = [path.name for path in (folder / "checkpoints").iterdir() if path.name.startswith(".")]
        assert left == [], left
        shutil.rmtree(folder)
    return found


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
        fit(family, folder, **{"callbacks": [Signal(step, number)], "every": "1 hour", **(how or {})})
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


def stopped_at_once(place):
    """Send both signals twice at a step; return how that ends, what the run says, and whether going on is exact."""
    found, whole = [], reference(place, "classifier")[0]
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = Path(place) / f"twice-{number}"
        code = ended(forked(stopped, "classifier", folder, 9, number, {"callbacks": [Twice(9, number)]}))
        names, told = Store(folder).names(), json.loads((folder / "run.json").read_text())
        assert ended(forked(fit, "classifier", folder)) == 0
        found.append([code, names[-1], told["state"], told["problem"], digest(folder) == whole])
    return found


def stops(place, points):
    """Stop at so many steps by both signals, go on, and return what was found."""
    found = {"points": 0, "codes": [], "at the step": 0, "identical": 0}
    whole = {}
    for number in range(points):
        family = FAMILIES[number % len(FAMILIES)]
        whole.setdefault(family, reference(place, family)[0])
        folder, step = Path(place) / f"stop-{number}", 1 + number * 2 % (EPOCHS * (STEPS - 1))
        code = ended(forked(stopped, family, folder, step, (signal.SIGINT, signal.SIGTERM)[number % 2]))
        told = json.loads((folder / "run.json").read_text())
        epoch, inside = divmod(step, steps_of(family))
        found["points"] += 1
        found["codes"].append(code)
        found["at the step"] += (told["state"], told["epoch"], told["step"]) == ("interrupted", epoch, inside)
        assert ended(forked(fit, family, folder)) == 0
        found["identical"] += digest(folder) == whole[family]
    return found


def steps_of(family):
    num = len(images()) if family != "graph" else len(images().split(0.2)[0])
    return num // BATCH + int(num % BATCH > 0)


def forgotten(what):
    """Forget a part of the state when going back to a checkpoint."""
    whole = state_room.put_back

    def changed(state, kept):
        kept = copy.copy(dict(kept))
        if what == "step":
            kept["step"] = 0
        whole(state, kept)

    if what == "random state":
        randomness.set_states = lambda kept: None
    elif what == "optimizer":
        optim.Stepper.load_state_dict = lambda self, state: None
    from zoo.run import keeper

    keeper.put_back = changed


def gone_on_forgetfully(family, folder, what):
    forgotten(what)
    fit(family, folder)


def controls(place):
    """Return for each family and forgotten part whether the end differs, as it must; and what a whole state gives."""
    found = {}
    for family in RANDOM:
        expected = reference(place, family)[0]
        folder = Path(place) / f"{family}-half"
        assert ended(forked(stopped, family, folder, 7, signal.SIGINT)) == 130
        for what in ("nothing", "random state", "optimizer", "step"):
            copied = Path(shutil.copytree(folder, Path(place) / f"{family}-{what}"))
            assert ended(forked(gone_on_forgetfully, family, copied, what)) == 0
            found[f"{family}, {what}"] = digest(copied) != expected
    return found


def spoil(folder, how, number):
    """Damage a checkpoint in one of its ways."""
    state, numbers = folder / "state.json", folder / "state.safetensors"
    path = (state, numbers)[number % 2]
    if how == "truncated":
        os.truncate(path, path.stat().st_size * (number // 2) // 8)
    elif how == "flipped":
        data = bytearray(path.read_bytes())
        data[(number * 7919) % len(data)] ^= 1 << number % 8
        path.write_bytes(bytes(data))
    else:
        path.unlink()


def damages(place, cases):
    """Damage the newest checkpoint in so many ways; return how often the one before it is found, with a warning."""
    folder = Path(place) / "damage"
    assert ended(forked(kept_three, folder)) == 0
    names, found = Store(folder).names(), {"cases": 0, "fell back": 0, "warned": 0}
    for number in range(cases):
        copied = Path(shutil.copytree(folder, Path(place) / f"damage-{number}"))
        how = ("truncated", "flipped", "missing")[number % 3]
        spoil(copied / "checkpoints" / names[-1], how, number // 3)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            good = Store(copied).good()
        found["cases"] += 1
        found["fell back"] += good.name == names[-2]
        found["warned"] += len(told) == 1 and names[-1] in str(told[0].message) and names[-2] in str(told[0].message)
        shutil.rmtree(copied)
    return found


def kept_three(folder):
    fit("classifier", folder, newest=3)


def fallen_back(place):
    """Go on from a run whose newest checkpoint is damaged, and from one whose every checkpoint is."""
    expected = reference(place, "classifier")[0]
    folder = Path(place) / "fall"
    assert ended(forked(stopped, "classifier", folder, 9, signal.SIGTERM)) == 143
    names = Store(folder).names()
    spoil(folder / "checkpoints" / names[-1], "flipped", 3)
    assert ended(forked(fit_with_warnings, folder)) == 0
    same = digest(folder) == expected
    for name in Store(folder).names():
        spoil(folder / "checkpoints" / name, "truncated", 5)
    before = sorted(path.name for path in (folder / "checkpoints").iterdir())
    refused = told_by(refusal, "classifier", folder)
    return [same, refused, before == sorted(path.name for path in (folder / "checkpoints").iterdir())]


def same_order(place, workers):
    """Train twice by one seed through a torch loader with so many workers; return the hashes."""
    from torch.utils.data import DataLoader, TensorDataset

    found = []
    for number, count in enumerate(workers):
        folder = Path(place) / f"workers-{number}"
        loader = DataLoader(
            TensorDataset(images().images, images().labels), batch_size=BATCH, shuffle=True, num_workers=count
        )
        classifier().fit(loader, epochs=2, checkpoint=folder, progress=False, device="cpu")
        found.append(digest(folder))
    return found


def others(place):
    """Go on with a stopped run given something else each time; return what is said."""
    folder = Path(place) / "others"
    assert ended(forked(stopped, "classifier", folder, 4, signal.SIGINT)) == 130
    half = images()[: len(images()) - 1]
    changed = {
        "lr": {"lr": 0.5},
        "epochs": {"epochs": 9},
        "batch_size": {"batch_size": 16},
        "accumulate": {"accumulate": 1},
        "recipe seed": {"seed": 5},
        "validation data": {"validation": half},
    }
    told = {name: told_by(refusal, "classifier", folder, how) for name, how in changed.items()}
    told["training data"] = told_by(refused_model, classifier, folder, half)
    told["a pixel"] = told_by(refused_model, classifier, folder, touched())
    told["model"] = told_by(refused_model, lambda: zoo.create("gcn-7x7", seed=0), folder, images())
    told["seed"] = told_by(refused_model, seeded, folder, images())
    told["version"] = told_by(refused_version, folder)
    told["callbacks"] = told_by(refusal, "classifier", folder, {"ema": 0.0})
    told["resume=False"] = told_by(refusal, "classifier", folder, {"resume": False})
    return told


def touched():
    pixels = images().images.clone()
    pixels[3, 0, 2, 2] ^= 1
    return zoo.Images(pixels, images().labels, images().classes, name=images().name)


def seeded():
    model = classifier()
    model.seed = 1
    return model


def refused_model(make, folder, data):
    recipe = {"epochs": EPOCHS, "batch_size": BATCH, **RECIPES["classifier"]}
    try:
        make().fit(data, progress=False, device="cpu", checkpoint=folder, resume=True, **recipe)
    except ZooError as error:
        return f"{type(error).__name__}: {error}"
    return "it went on"


def refused_version(folder):
    from zoo.run import fingerprint

    whole = fingerprint.version
    fingerprint.version = lambda name: "3.0.0" if name == "torch" else whole(name)
    return refusal("classifier", folder, {})


def _limited_fit(place):
    """Train where no file may be larger than the first checkpoint's; what is said comes back as text."""
    folder = Path(place) / "full"
    limit = Limit(2)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = fit("classifier", folder, callbacks=[limit])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    names = Store(folder).names()
    return json.dumps(
        [len(model.history), [str(each.message) for each in told], names, sorted(os.listdir(folder / "checkpoints"))]
    )


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


def _stopped_on_full_disk(place):
    try:
        fit("classifier", Path(place) / "stopped", callbacks=[Limit(2), Signal(3, signal.SIGINT)], every="1 step")
    except KeyboardInterrupt as end:
        return str(end)


def stopped_on_full_disk(place):
    """Stop where the step can no longer be written; return what is said."""
    return told_by(_stopped_on_full_disk, place)


def full_disk(place):
    """Train on a disk that fills up after a step; return epochs trained, warnings, and what lies there."""
    return json.loads(told_by(_limited_fit, place))


def rank(work, number, size, port, *words):
    """Do something as one of several processes."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(True)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(size)}
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number), "LOCAL_WORLD_SIZE": str(size)}
    work(*words)
    torch.distributed.destroy_process_group()


def ranks(size, work, *words):
    """Begin several processes that train together, and return their ids."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [forked(rank, work, number, size, port, *words) for number in range(size)]


def fit_quietly(family, folder, how):
    """Train, and write down on each process what it ended in."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = fit(family, folder, **how)
    record = {**ending(model), "told": [str(each.message) for each in told]}
    Path(f"{folder}.{os.environ.get('RANK', 'alone')}").write_text(json.dumps(record))


def pairs_of(place, name, size, how, family="classifier"):
    """Train in so many processes; return what each ended in."""
    folder = Path(place) / name
    work = (fit_quietly, family, folder, how)
    children = ranks(size, *work) if size > 1 else [forked(*work)]
    assert [ended(child) for child in children] == [0] * size
    return written(folder, size)


PLAIN = {"mixup": 0.0, "augment": (), "ema": 0.0, "accumulate": 1, "validation": 0.3, "channels_last": False}


EVEN = {**PLAIN, "validation": 39 / 167, "split": "random"}
"""128 images to train on, which batches of 8, 16 and 32 divide; the others leave 117, which they do not."""


def two_as_one(place):
    """Return what two processes and one with the same global batch end in."""
    return {
        "two": pairs_of(place, "two", 2, {**PLAIN, "batch_size": 16}, "stack"),
        "one": pairs_of(place, "one", 1, {**PLAIN, "batch_size": 32, "kernels": "torch"}, "stack"),
        "gathered": pairs_of(place, "gathered", 2, {**EVEN, "batch_size": 8, "accumulate": 2}, "stack"),
        "whole": pairs_of(place, "whole", 1, {**EVEN, "batch_size": 32, "kernels": "torch"}, "stack"),
        "norms": pairs_of(place, "norms", 2, {"batch_size": 16, "validation": 0.3}),
    }


def loader(batch, **how):
    """Return a torch loader of all images, in an order drawn anew each epoch."""
    from torch.utils.data import DataLoader, TensorDataset

    return DataLoader(TensorDataset(images().images, images().labels), batch_size=batch, shuffle=True, **how)


def fit_loader(folder, batch):
    """Train on a torch loader, and score on another one; write down what this process ended in."""
    model = stack().fit(
        loader(batch), validation=loader(batch), epochs=2, kernels="torch", progress=False, device="cpu"
    )
    Path(f"{folder}.{os.environ.get('RANK', 'alone')}").write_text(json.dumps(ending(model)))


def ending(model):
    """Return the hash of a net, and its history but for what a clock showed."""
    tensors = {name: each.detach() for name, each in model.net.state_dict().items()}
    rows = [{k: v for k, v in row.items() if "second" not in k} for row in model.history]
    return {"weights": digest_of({"history": [], "net": tensors}), "history": rows}


def written(folder, size):
    names = range(size) if size > 1 else ["alone"]
    return [json.loads(Path(f"{folder}.{name}").read_text()) for name in names]


def two_loaders(place):
    """Return what two processes and one end in, that are given torch loaders of the same batches."""
    two, one = Path(place) / "two", Path(place) / "one"
    assert [ended(child) for child in ranks(2, fit_loader, two, BATCH)] == [0, 0]
    assert ended(forked(fit_loader, one, BATCH)) == 0
    return [*written(two, 2), *written(one, 1)]


class Falling:
    """Tell of losses that are best, not the best, and between these two."""

    def on_step(self, training):
        pass

    def on_epoch(self, training):
        training.row["loss"] = {1: 3.0, 2: 1.0, 3: 2.0, 4: 2.5}[training.epoch]


def fit_on_full_disk(folder):
    """Train where the first process has no room left after the first epoch; write down how far it comes."""
    limit = [Limit(13)] if os.environ["RANK"] == "0" else []
    how = {"epochs": 4, "batch_size": 8, "monitor": "loss", "kernels": "torch", "progress": False, "device": "cpu"}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = stack().fit(images(), callbacks=[*limit, Falling()], checkpoint=folder, every="1 hour", **how)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    warned = [str(each.message) for each in told if "was not written" in str(each.message)]
    Path(f"{folder}.{os.environ['RANK']}").write_text(json.dumps([len(model.history), len(warned)]))


def full_disk_of_one(place):
    """Return how far two processes come, of which the one that writes has no room left."""
    folder = Path(place) / "full"
    assert [ended(child) for child in ranks(2, fit_on_full_disk, folder)] == [0, 0]
    return written(folder, 2)


def unseedable(folder):
    """Train on a loader whose own generator was seeded by chance; write down what is said."""
    draws = torch.Generator().manual_seed(int(os.environ["RANK"]))
    try:
        stack().fit(loader(BATCH, generator=draws), epochs=1, kernels="torch", progress=False, device="cpu")
    except ZooError as error:
        Path(f"{folder}.{os.environ['RANK']}").write_text(f"{type(error).__name__}: {error}")


def other_orders(place):
    """Return what two processes say whose loaders draw other orders."""
    folder = Path(place) / "orders"
    assert [ended(child) for child in ranks(2, unseedable, folder)] == [0, 0]
    return [Path(f"{folder}.{number}").read_text() for number in range(2)]


def fit_spoilt(folder, on_nan):
    """Train where the loss of the second process is not a number at the third step; write down how it ends."""
    model = stack()
    place = int(Loader(images(), batch_size=8, seed=0).indices(0, 2, rank=1, world=2)[0])
    mark = images().images[place].float() / 255

    def spoil(net, inputs, answer):
        is_odd = bool((inputs[0] == mark).flatten(1).all(1).any())
        return answer * float("nan") if is_odd and net.training else answer

    model.net.register_forward_hook(spoil)
    how = {"epochs": 1, "batch_size": 8, "kernels": "torch", "progress": False, "device": "cpu"}
    try:
        told = ending(model.fit(images(), checkpoint=folder, on_nan=on_nan, **how))
    except ZooError as error:
        told = f"{type(error).__name__}: {error}"
    Path(f"{folder}.{os.environ['RANK']}").write_text(json.dumps(told))


def odd_losses(place):
    """Return what two processes say and end in, of which one has a loss that is not finite; and what the run says."""
    found = {}
    for on_nan in ("stop", "skip"):
        folder = Path(place) / on_nan
        assert [ended(child) for child in ranks(2, fit_spoilt, folder, on_nan)] == [0, 0]
        found[on_nan] = written(folder, 2)
    return {**found, "run": json.loads((Path(place) / "stop" / "run.json").read_text())["problem"]}


def stopped_pair(family, folder, step, number):
    how = {"callbacks": [Signal(step, number)], "every": "1 hour", "batch_size": 8}
    try:
        fit(family, folder, **how)
    except KeyboardInterrupt:
        os._exit(130)
    except SystemExit as end:
        os._exit(end.code)


def stopped_and_resumed_pair(place):
    """Stop two processes, go on with two and with one; return exit codes and what they ended in."""
    how = {"batch_size": 8, "every": "epoch"}
    whole = pairs_of(place, "whole", 2, how)
    codes = [ended(child) for child in ranks(2, stopped_pair, "classifier", Path(place) / "half", 6, signal.SIGTERM)]
    shutil.copytree(Path(place) / "half", Path(place) / "alone")
    names = Store(Path(place) / "half").names()
    again = pairs_of(place, "half", 2, how)
    same = digest(Path(place) / "whole") == digest(Path(place) / "half")
    alone = pairs_of(place, "alone", 1, {**how, "batch_size": 16})
    return {"codes": codes, "names": names, "whole": whole, "again": again, "same": same, "alone": alone}


def fit_long(family, folder):
    try:
        fit(family, folder, batch_size=8, epochs=2000, every="1 hour", accumulate=1)
    except ZooError as error:
        Path(f"{folder}.{os.environ['RANK']}").write_text(f"{type(error).__name__}: {error}")
        os._exit(1)


def lost(place):
    """Kill one of two processes; return how the other one ends, what it says, and after how many seconds."""
    folder = Path(place) / "lost"
    first, second = ranks(2, fit_long, "classifier", folder)
    while not (folder / "history.jsonl").exists():
        time.sleep(0.01)
    os.kill(second, signal.SIGKILL)
    start = time.perf_counter()
    ended(second)
    code = ended(first)
    told = json.loads((folder / "run.json").read_text())
    return [code, Path(f"{folder}.0").read_text(), time.perf_counter() - start, told["state"]]


def other_seeds(place):
    """Return what two processes with different seeds say."""
    folder = Path(place) / "seeds"
    children = ranks(2, refused_seed, folder)
    return [ended(child) for child in children] + [Path(f"{folder}.{number}").read_text() for number in range(2)]


def refused_seed(folder):
    number = os.environ["RANK"]
    Path(f"{folder}.{number}").write_text(refusal("stack", None, {"seed": int(number), **TORCH}))


TORCH = {"kernels": "torch", "accumulate": 1}


def fit_with_warnings(folder):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit("classifier", folder)
    assert any("going on from the checkpoint" in str(each.message) for each in told)


def refusal(family, folder, how=None):
    try:
        fit(family, folder, **(how or {}))
    except ZooError as error:
        return f"{type(error).__name__}: {error}"
    return "it went on"


def _called(name, words):
    return json.dumps(globals()[name](*words))


def warm():
    """Do once what takes long the first time, so that forks need not."""
    for family in FAMILIES:
        fit(family)


def serve():
    """Answer each line, a function's name and words as JSON, with what it returns in a fork of this process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what is begun in the background ignores it
    warm()
    for line in sys.stdin:
        try:
            told = told_by(_called, *json.loads(line))
        except AssertionError:
            told = "null"
        print(told, flush=True)
