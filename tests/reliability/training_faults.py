"""Trainings that are killed, stopped, damaged, resumed with other arguments, or out of disk space."""

import copy
import json
import os
import random
import resource
import shutil
import signal
import time
import warnings
from pathlib import Path

from faulty_saves import fork, run_in_fork, wait_for
from training_runs import (
    BATCH,
    EPOCHS,
    FAMILIES,
    RANDOM_FAMILIES,
    RECIPES,
    STEPS,
    FullDisk,
    SendSignal,
    SignalTwice,
    count_steps,
    fit,
    get_refusal,
    hash_newest_checkpoint,
    load_images,
    make_classifier,
    train_reference,
    train_until_signal,
)

import zoo
from zoo.errors import ZooError
from zoo.training.checkpoint import checkpointer, fingerprint, train_state
from zoo.training.checkpoint.store import CheckpointStore
from zoo.training.optimizer import PlayerOptimizer


def kill_at_random(root, num_runs, num_kills):
    """Kill trainings at random moments and resume them; count runs, kills and results equal to an unkilled run's.

    Args:
        root: Where to train.
        num_runs: Least number of runs, over all families.
        num_kills: Least number of kills.
    """
    rng, counts = random.Random(0), {"runs": 0, "killed": 0, "identical": 0}
    references = {family: train_reference(root, family) for family in FAMILIES}
    while counts["runs"] < num_runs or counts["killed"] < num_kills:
        family = FAMILIES[counts["runs"] % len(FAMILIES)]
        folder = Path(root) / f"{family}-{counts['runs']}"
        expected, seconds = references[family]
        for _ in range(1 + counts["runs"] % 2):
            child = fork(fit, family, folder)
            time.sleep(rng.uniform(0, 0.7 * seconds))
            os.kill(child, signal.SIGKILL)
            counts["killed"] += wait_for(child) == -signal.SIGKILL
        assert wait_for(fork(fit, family, folder)) == 0
        counts["runs"] += 1
        counts["identical"] += hash_newest_checkpoint(folder) == expected
        leftovers = [path.name for path in (folder / "checkpoints").iterdir() if path.name.startswith(".")]
        assert leftovers == [], leftovers
        shutil.rmtree(folder)
    return counts


def stop_at_once(root):
    """Send each signal twice at a step; return how the run ends and whether it resumes exactly."""
    results, expected = [], train_reference(root, "classifier")[0]
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        folder = Path(root) / f"twice-{signal_number}"
        options = {"callbacks": [SignalTwice(9, signal_number)]}
        code = wait_for(fork(train_until_signal, "classifier", folder, 9, signal_number, options))
        names, record = CheckpointStore(folder).list_names(), json.loads((folder / "run.json").read_text())
        assert wait_for(fork(fit, "classifier", folder)) == 0
        is_same = hash_newest_checkpoint(folder) == expected
        results.append([code, names[-1], record["state"], record["problem"], is_same])
    return results


def stop_at_steps(root, points):
    """Stop at `points` steps by both signals and resume; return exit codes and counts."""
    result = {"points": 0, "codes": [], "at the step": 0, "identical": 0}
    references = {}
    for index in range(points):
        family = FAMILIES[index % len(FAMILIES)]
        references.setdefault(family, train_reference(root, family)[0])
        folder, step = Path(root) / f"stop-{index}", 1 + index * 2 % (EPOCHS * (STEPS - 1))
        signal_number = (signal.SIGINT, signal.SIGTERM)[index % 2]
        code = wait_for(fork(train_until_signal, family, folder, step, signal_number))
        record = json.loads((folder / "run.json").read_text())
        position = ("interrupted", *divmod(step, count_steps(family)))
        result["points"] += 1
        result["codes"].append(code)
        result["at the step"] += (record["state"], record["epoch"], record["step"]) == position
        assert wait_for(fork(fit, family, folder)) == 0
        result["identical"] += hash_newest_checkpoint(folder) == references[family]
    return result


def lose_part(part):
    """Change the restoring of a checkpoint so that a part of the state is lost."""
    restore = train_state.restore

    def restore_in_part(state, saved):
        saved = copy.copy(dict(saved))
        if part == "step":
            saved["step"] = 0
        restore(state, saved)

    if part == "random state":
        train_state.set_rng_states = lambda states: None
    elif part == "optimizer":
        PlayerOptimizer.load_state_dict = lambda self, state: None
    checkpointer.restore = restore_in_part


def resume_in_part(family, folder, part):
    lose_part(part)
    fit(family, folder)


def run_controls(root):
    """Resume with each part of the state lost; return for each family and part whether the result differs."""
    differs = {}
    for family in RANDOM_FAMILIES:
        expected = train_reference(root, family)[0]
        folder = Path(root) / f"{family}-half"
        assert wait_for(fork(train_until_signal, family, folder, 7, signal.SIGINT)) == 130
        for part in ("nothing", "random state", "optimizer", "step"):
            copied = Path(shutil.copytree(folder, Path(root) / f"{family}-{part}"))
            assert wait_for(fork(resume_in_part, family, copied, part)) == 0
            differs[f"{family}, {part}"] = hash_newest_checkpoint(copied) != expected
    return differs


def damage(folder, method, number):
    """Damage a checkpoint; `number` decides the file and the position."""
    path = (folder / "state.json", folder / "state.safetensors")[number % 2]
    if method == "truncated":
        os.truncate(path, path.stat().st_size * (number // 2) // 8)
    elif method == "flipped":
        data = bytearray(path.read_bytes())
        data[(number * 7919) % len(data)] ^= 1 << number % 8
        path.write_bytes(bytes(data))
    else:
        path.unlink()


def damage_newest(root, cases):
    """Damage the newest checkpoint in many ways; count how often the one before it is read with a warning."""
    folder = Path(root) / "damage"
    assert wait_for(fork(fit_with_three_checkpoints, folder)) == 0
    names, counts = CheckpointStore(folder).list_names(), {"cases": 0, "fell back": 0, "warned": 0}
    for index in range(cases):
        copied = Path(shutil.copytree(folder, Path(root) / f"damage-{index}"))
        damage(copied / "checkpoints" / names[-1], ("truncated", "flipped", "missing")[index % 3], index // 3)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            checkpoint = CheckpointStore(copied).read_newest()
        message = str(caught[0].message)
        counts["cases"] += 1
        counts["fell back"] += checkpoint.name == names[-2]
        counts["warned"] += len(caught) == 1 and names[-1] in message and names[-2] in message
        shutil.rmtree(copied)
    return counts


def fit_with_three_checkpoints(folder):
    fit("classifier", folder, keep_checkpoints=3)


def resume_after_damage(root):
    """Resume a run whose newest checkpoint is damaged, then one with only damaged checkpoints.

    Returns:
        Whether the first ends like an uninterrupted run, the message of the second, and whether its folder is
        unchanged.
    """
    expected = train_reference(root, "classifier")[0]
    folder = Path(root) / "fall"
    assert wait_for(fork(train_until_signal, "classifier", folder, 9, signal.SIGTERM)) == 143
    names = CheckpointStore(folder).list_names()
    damage(folder / "checkpoints" / names[-1], "flipped", 3)
    assert wait_for(fork(fit_with_warnings, folder)) == 0
    is_same = hash_newest_checkpoint(folder) == expected
    for name in CheckpointStore(folder).list_names():
        damage(folder / "checkpoints" / name, "truncated", 5)
    before = sorted(path.name for path in (folder / "checkpoints").iterdir())
    message = run_in_fork(get_refusal, "classifier", folder)
    return [is_same, message, before == sorted(path.name for path in (folder / "checkpoints").iterdir())]


def train_with_workers(root, num_workers):
    """Train with a torch loader for each number of workers; return the hashes."""
    from torch.utils.data import DataLoader, TensorDataset

    hashes = []
    for index, num in enumerate(num_workers):
        folder = Path(root) / f"workers-{index}"
        loader = DataLoader(
            TensorDataset(load_images().images, load_images().labels), batch_size=BATCH, shuffle=True, num_workers=num
        )
        make_classifier().fit(loader, epochs=2, checkpoint=folder, progress=False, device="cpu")
        hashes.append(hash_newest_checkpoint(folder))
    return hashes


def resume_with_changes(root):
    """Resume a stopped run with each of several changes; return the messages."""
    folder = Path(root) / "others"
    assert wait_for(fork(train_until_signal, "classifier", folder, 4, signal.SIGINT)) == 130
    fewer = load_images()[: len(load_images()) - 1]
    changes = {
        "lr": {"lr": 0.5},
        "epochs": {"epochs": 9},
        "batch_size": {"batch_size": 16},
        "accumulate": {"accumulate": 1},
        "recipe seed": {"seed": 5},
        "validation data": {"validation": fewer},
    }
    messages = {name: run_in_fork(get_refusal, "classifier", folder, options) for name, options in changes.items()}
    messages["training data"] = run_in_fork(get_model_refusal, make_classifier, folder, fewer)
    messages["a pixel"] = run_in_fork(get_model_refusal, make_classifier, folder, change_pixel())
    messages["model"] = run_in_fork(get_model_refusal, make_other_model, folder, load_images())
    messages["seed"] = run_in_fork(get_model_refusal, make_seeded_classifier, folder, load_images())
    messages["version"] = run_in_fork(get_version_refusal, folder)
    messages["callbacks"] = run_in_fork(get_refusal, "classifier", folder, {"ema": 0.0})
    messages["resume=False"] = run_in_fork(get_refusal, "classifier", folder, {"resume": False})
    return messages


def change_pixel():
    pixels = load_images().images.clone()
    pixels[3, 0, 2, 2] ^= 1
    return zoo.Images(pixels, load_images().labels, load_images().classes, name=load_images().name)


def make_other_model():
    return zoo.create("gcn-7x7", seed=0)


def make_seeded_classifier():
    model = make_classifier()
    model.seed = 1
    return model


def get_model_refusal(make_model, folder, data):
    recipe = {"epochs": EPOCHS, "batch_size": BATCH, **RECIPES["classifier"]}
    try:
        make_model().fit(data, progress=False, device="cpu", checkpoint=folder, resume=True, **recipe)
    except ZooError as error:
        return f"{type(error).__name__}: {error}"
    return "it was resumed"


def get_version_refusal(folder):
    version = fingerprint.version
    fingerprint.version = lambda name: "3.0.0" if name == "torch" else version(name)
    return get_refusal("classifier", folder, {})


def _fit_on_full_disk(root):
    """Train with a limit on the size of files; return epochs, warnings, checkpoints and files as JSON."""
    folder = Path(root) / "full"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fit("classifier", folder, callbacks=[FullDisk(2)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    names, files = CheckpointStore(folder).list_names(), sorted(os.listdir(folder / "checkpoints"))
    return json.dumps([len(model.history), [str(each.message) for each in caught], names, files])


def train_on_full_disk(root):
    """Train on a disk that is full after a step; return epochs, warnings, checkpoints and files."""
    return json.loads(run_in_fork(_fit_on_full_disk, root))


def _stop_on_full_disk(root):
    callbacks = [FullDisk(2), SendSignal(3, signal.SIGINT)]
    try:
        fit("classifier", Path(root) / "stopped", callbacks=callbacks, checkpoint_every="1 step")
    except KeyboardInterrupt as error:
        return str(error)
    return ""


def stop_on_full_disk(root):
    """Stop at a step that cannot be written; return the message."""
    return run_in_fork(_stop_on_full_disk, root)


def fit_with_warnings(folder):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit("classifier", folder)
    assert any("resuming from the checkpoint" in str(each.message) for each in caught)
