"""Trainings in several processes."""

import json
import os
import resource
import shutil
import signal
import socket
import time
import warnings
from pathlib import Path

import torch
from courses import BATCH, Limit, Signal, digest, digest_of, fit, images, refusal, stack
from forge import ended, forked

from zoo.data import Loader
from zoo.errors import ZooError
from zoo.training.checkpoint.store import CheckpointStore


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
        model = stack().fit(
            images(), callbacks=[*limit, Falling()], checkpoint=folder, checkpoint_every="1 hour", **how
        )
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    warned = [str(each.message) for each in told if "was not written" in str(each.message)]
    Path(f"{folder}.{os.environ['RANK']}").write_text(json.dumps([len(model.history), len(warned)]))


def full_disk_of_one(place):
    """Return how far two processes come, of which the one that writes has no room left."""
    folder = Path(place) / "full"
    assert [ended(child) for child in ranks(2, fit_on_full_disk, folder)] == [0, 0]
    return written(folder, 2)


class Enough:
    """Stop at a step, as a limit of time does on the process whose clock is ahead."""

    def on_step(self, training):
        if training.step == 3:
            training.stop = "enough"

    def on_epoch(self, training):
        pass


def fit_enough(folder):
    """Train until the second process has enough; write down how far it came and why it ended."""
    watchers = [Enough()] if os.environ["RANK"] == "1" else []
    how = {"epochs": 3, "batch_size": 8, "kernels": "torch", "progress": False, "device": "cpu"}
    model = stack().fit(images(), callbacks=watchers, checkpoint=folder, **how)
    told = {**ending(model), "stopped": model.history.stopped}
    Path(f"{folder}.{os.environ['RANK']}").write_text(json.dumps(told))


def stopped_by_one(place):
    """Return what two processes end in, of which one stops."""
    folder = Path(place) / "enough"
    assert [ended(child) for child in ranks(2, fit_enough, folder)] == [0, 0]
    return [*written(folder, 2), CheckpointStore(folder).list_names()[-1]]


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
    place = int(Loader(images(), batch_size=8, seed=0).batch_indices(0, 2, rank=1, world_size=2)[0])
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
    how = {"callbacks": [Signal(step, number)], "checkpoint_every": "1 hour", "batch_size": 8}
    try:
        fit(family, folder, **how)
    except KeyboardInterrupt:
        os._exit(130)
    except SystemExit as end:
        os._exit(end.code)


def stopped_and_resumed_pair(place):
    """Stop two processes, go on with two and with one; return exit codes and what they ended in."""
    how = {"batch_size": 8, "checkpoint_every": "epoch"}
    whole = pairs_of(place, "whole", 2, how)
    codes = [ended(child) for child in ranks(2, stopped_pair, "classifier", Path(place) / "half", 6, signal.SIGTERM)]
    shutil.copytree(Path(place) / "half", Path(place) / "alone")
    names = CheckpointStore(Path(place) / "half").list_names()
    again = pairs_of(place, "half", 2, how)
    same = digest(Path(place) / "whole") == digest(Path(place) / "half")
    alone = pairs_of(place, "alone", 1, {**how, "batch_size": 16})
    return {"codes": codes, "names": names, "whole": whole, "again": again, "same": same, "alone": alone}


def fit_long(family, folder):
    try:
        fit(family, folder, batch_size=8, epochs=2000, checkpoint_every="1 hour", accumulate=1)
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
