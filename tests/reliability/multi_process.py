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
from faulty_saves import fork, wait_for
from training_runs import (
    BATCH,
    FullDisk,
    SendSignal,
    fit,
    get_refusal,
    hash_newest_checkpoint,
    hash_state,
    load_images,
    make_stack,
)

from zoo.data import Loader
from zoo.errors import ZooError
from zoo.training.checkpoint.store import CheckpointStore


def run_rank(function, rank, world_size, port, *args):
    """Run a function as one of several processes."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(True)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(world_size)}
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(world_size)}
    function(*args)
    torch.distributed.destroy_process_group()


def start_ranks(world_size, function, *args):
    """Start several processes that train together; return their ids."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [fork(run_rank, function, rank, world_size, port, *args) for rank in range(world_size)]


def write_result(folder, result):
    """Write the result of this process beside the folder of the run."""
    Path(f"{folder}.{os.environ.get('RANK', 'alone')}").write_text(json.dumps(result))


def read_results(folder, world_size):
    """Read what each process wrote with `write_result`."""
    names = range(world_size) if world_size > 1 else ["alone"]
    return [json.loads(Path(f"{folder}.{name}").read_text()) for name in names]


def describe_result(model):
    """Return the hash of a net, and its history without times."""
    tensors = {name: each.detach() for name, each in model.net.state_dict().items()}
    rows = [{k: v for k, v in row.items() if "second" not in k} for row in model.history]
    return {"weights": hash_state({"history": [], "net": tensors}), "history": rows}


def fit_and_write(family, folder, options):
    """Train, and write the result and the warnings of this process."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fit(family, folder, **options)
    write_result(folder, {**describe_result(model), "warnings": [str(each.message) for each in caught]})


def train_in_processes(root, name, world_size, options, family="classifier"):
    """Train in `world_size` processes; return the result of each."""
    folder = Path(root) / name
    task = (fit_and_write, family, folder, options)
    children = start_ranks(world_size, *task) if world_size > 1 else [fork(*task)]
    assert [wait_for(child) for child in children] == [0] * world_size
    return read_results(folder, world_size)


PLAIN = {"mixup": 0.0, "augment": (), "ema": 0.0, "accumulate": 1, "validation": 0.3, "channels_last": False}
EVEN = {**PLAIN, "validation": 39 / 167, "split": "random"}
"""128 training images, a multiple of the batch sizes 8, 16 and 32; `PLAIN` leaves 117, which is not."""


def compare_two_with_one(root):
    """Return the results of two processes, and of one with the same global batch."""
    return {
        "two": train_in_processes(root, "two", 2, {**PLAIN, "batch_size": 16}, "stack"),
        "one": train_in_processes(root, "one", 1, {**PLAIN, "batch_size": 32, "kernels": "torch"}, "stack"),
        "accumulated": train_in_processes(root, "accumulated", 2, {**EVEN, "batch_size": 8, "accumulate": 2}, "stack"),
        "whole": train_in_processes(root, "whole", 1, {**EVEN, "batch_size": 32, "kernels": "torch"}, "stack"),
        "norms": train_in_processes(root, "norms", 2, {"batch_size": 16, "validation": 0.3}),
    }


def make_loader(batch_size, **options):
    """Return a torch loader of all images, in a new random order each epoch."""
    from torch.utils.data import DataLoader, TensorDataset

    images = load_images()
    return DataLoader(TensorDataset(images.images, images.labels), batch_size=batch_size, shuffle=True, **options)


def fit_loader(folder, batch_size):
    """Train on a torch loader, and score on another one."""
    train, validation = make_loader(batch_size), make_loader(batch_size)
    model = make_stack().fit(train, validation=validation, epochs=2, kernels="torch", progress=False, device="cpu")
    write_result(folder, describe_result(model))


def compare_loaders(root):
    """Return the results of two processes and of one, with torch loaders of the same batches."""
    two, one = Path(root) / "two", Path(root) / "one"
    assert [wait_for(child) for child in start_ranks(2, fit_loader, two, BATCH)] == [0, 0]
    assert wait_for(fork(fit_loader, one, BATCH)) == 0
    return [*read_results(two, 2), *read_results(one, 1)]


class SetLosses:
    """Replace the losses in the history: the second epoch is the best, the later ones are not."""

    def on_step(self, training):
        pass

    def on_epoch(self, training):
        training.row["loss"] = {1: 3.0, 2: 1.0, 3: 2.0, 4: 2.5}[training.epoch]


def fit_on_full_disk(folder):
    """Train where the disk of the first process is full after the first epoch."""
    limit = [FullDisk(13)] if os.environ["RANK"] == "0" else []
    options = {"epochs": 4, "batch_size": 8, "monitor": "loss", "kernels": "torch", "progress": False, "device": "cpu"}
    options |= {"callbacks": [*limit, SetLosses()], "checkpoint": folder, "checkpoint_every": "1 hour"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = make_stack().fit(load_images(), **options)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    write_result(folder, [len(model.history), sum("was not written" in str(each.message) for each in caught)])


def fill_disk_of_one(root):
    """Return epochs and warnings of two processes, of which the one that writes has a full disk."""
    folder = Path(root) / "full"
    assert [wait_for(child) for child in start_ranks(2, fit_on_full_disk, folder)] == [0, 0]
    return read_results(folder, 2)


class StopAtStep:
    """Stop at a step, as a time limit does in the process whose clock is ahead."""

    def on_step(self, training):
        if training.step == 3:
            training.stop = "enough"

    def on_epoch(self, training):
        pass


def fit_until_stop(folder):
    """Train until the second process stops."""
    callbacks = [StopAtStep()] if os.environ["RANK"] == "1" else []
    options = {"epochs": 3, "batch_size": 8, "kernels": "torch", "progress": False, "device": "cpu"}
    model = make_stack().fit(load_images(), callbacks=callbacks, checkpoint=folder, **options)
    write_result(folder, {**describe_result(model), "stopped": model.history.stopped})


def stop_one(root):
    """Return the results of two processes, of which one stops, and the name of the newest checkpoint."""
    folder = Path(root) / "enough"
    assert [wait_for(child) for child in start_ranks(2, fit_until_stop, folder)] == [0, 0]
    return [*read_results(folder, 2), CheckpointStore(folder).list_names()[-1]]


def fit_unseeded_loader(folder):
    """Train on a loader whose generator has another seed in each process."""
    generator = torch.Generator().manual_seed(int(os.environ["RANK"]))
    loader = make_loader(BATCH, generator=generator)
    try:
        make_stack().fit(loader, epochs=1, kernels="torch", progress=False, device="cpu")
    except ZooError as error:
        write_result(folder, f"{type(error).__name__}: {error}")


def run_other_orders(root):
    """Return the messages of two processes whose loaders have different orders."""
    folder = Path(root) / "orders"
    assert [wait_for(child) for child in start_ranks(2, fit_unseeded_loader, folder)] == [0, 0]
    return read_results(folder, 2)


def fit_with_nan(folder, on_nan):
    """Train where the loss of the second process is nan at the third step."""
    model = make_stack()
    index = int(Loader(load_images(), batch_size=8, seed=0).batch_indices(0, 2, rank=1, world_size=2)[0])
    target = load_images().images[index].float() / 255

    def replace_logits(net, inputs, logits):
        has_target = bool((inputs[0] == target).flatten(1).all(1).any())
        return logits * float("nan") if has_target and net.training else logits

    model.net.register_forward_hook(replace_logits)
    options = {"epochs": 1, "batch_size": 8, "kernels": "torch", "progress": False, "device": "cpu"}
    try:
        result = describe_result(model.fit(load_images(), checkpoint=folder, on_nan=on_nan, **options))
    except ZooError as error:
        result = f"{type(error).__name__}: {error}"
    write_result(folder, result)


def run_nan_losses(root):
    """Return the results of two processes, of which one has a nan loss, and the problem in `run.json`."""
    results = {}
    for on_nan in ("stop", "skip"):
        folder = Path(root) / on_nan
        assert [wait_for(child) for child in start_ranks(2, fit_with_nan, folder, on_nan)] == [0, 0]
        results[on_nan] = read_results(folder, 2)
    return {**results, "run": json.loads((Path(root) / "stop" / "run.json").read_text())["problem"]}


def fit_until_signal(family, folder, step, signal_number):
    callbacks = [SendSignal(step, signal_number)]
    try:
        fit(family, folder, callbacks=callbacks, checkpoint_every="1 hour", batch_size=8)
    except KeyboardInterrupt:
        os._exit(130)
    except SystemExit as error:
        os._exit(error.code)


def stop_and_resume_pair(root):
    """Stop two processes, and resume with two and with one; return exit codes and results."""
    options, half = {"batch_size": 8, "checkpoint_every": "epoch"}, Path(root) / "half"
    whole = train_in_processes(root, "whole", 2, options)
    children = start_ranks(2, fit_until_signal, "classifier", half, 6, signal.SIGTERM)
    codes = [wait_for(child) for child in children]
    shutil.copytree(half, Path(root) / "alone")
    names = CheckpointStore(half).list_names()
    resumed = train_in_processes(root, "half", 2, options)
    is_same = hash_newest_checkpoint(Path(root) / "whole") == hash_newest_checkpoint(half)
    alone = train_in_processes(root, "alone", 1, {**options, "batch_size": 16})
    return {"codes": codes, "names": names, "whole": whole, "resumed": resumed, "is_same": is_same, "alone": alone}


def fit_long(family, folder):
    try:
        fit(family, folder, batch_size=8, epochs=2000, checkpoint_every="1 hour", accumulate=1)
    except ZooError as error:
        write_result(folder, f"{type(error).__name__}: {error}")
        os._exit(1)


def kill_one(root):
    """Kill one of two processes; return how the other one ends: exit code, message, seconds and state of the run."""
    folder = Path(root) / "lost"
    first, second = start_ranks(2, fit_long, "classifier", folder)
    while not (folder / "history.jsonl").exists():
        time.sleep(0.01)
    os.kill(second, signal.SIGKILL)
    start = time.perf_counter()
    wait_for(second)
    code = wait_for(first)
    seconds, record = time.perf_counter() - start, json.loads((folder / "run.json").read_text())
    return [code, json.loads(Path(f"{folder}.0").read_text()), seconds, record["state"]]


def fit_with_own_seed(folder):
    options = {"seed": int(os.environ["RANK"]), "kernels": "torch", "accumulate": 1}
    write_result(folder, get_refusal("stack", None, options))


def run_other_seeds(root):
    """Return exit codes and messages of two processes with different seeds."""
    folder = Path(root) / "seeds"
    children = start_ranks(2, fit_with_own_seed, folder)
    return [wait_for(child) for child in children] + read_results(folder, 2)
