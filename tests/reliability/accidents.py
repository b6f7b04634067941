"""Trainings that are killed, stopped, damaged, begun with something else, or out of room."""

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

from courses import (
    BATCH,
    EPOCHS,
    FAMILIES,
    RANDOM,
    RECIPES,
    STEPS,
    Limit,
    Signal,
    Twice,
    classifier,
    digest,
    fit,
    images,
    reference,
    refusal,
    steps_of,
    stopped,
)
from forge import ended, forked, told_by

import zoo
from zoo.errors import ZooError
from zoo.training import optimizer as optim
from zoo.training.checkpoint import train_state as state_room
from zoo.training.checkpoint.store import CheckpointStore


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


def stopped_at_once(place):
    """Send both signals twice at a step; return how that ends, what the run says, and whether going on is exact."""
    found, whole = [], reference(place, "classifier")[0]
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = Path(place) / f"twice-{number}"
        code = ended(forked(stopped, "classifier", folder, 9, number, {"callbacks": [Twice(9, number)]}))
        names, told = CheckpointStore(folder).list_names(), json.loads((folder / "run.json").read_text())
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


def forgotten(what):
    """Forget a part of the state when going back to a checkpoint."""
    whole = state_room.restore

    def changed(state, kept):
        kept = copy.copy(dict(kept))
        if what == "step":
            kept["step"] = 0
        whole(state, kept)

    if what == "random state":
        state_room.set_rng_states = lambda states: None
    elif what == "optimizer":
        optim.PlayerOptimizer.load_state_dict = lambda self, state: None
    from zoo.training.checkpoint import checkpointer as keeper

    keeper.restore = changed


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
    names, found = CheckpointStore(folder).list_names(), {"cases": 0, "fell back": 0, "warned": 0}
    for number in range(cases):
        copied = Path(shutil.copytree(folder, Path(place) / f"damage-{number}"))
        how = ("truncated", "flipped", "missing")[number % 3]
        spoil(copied / "checkpoints" / names[-1], how, number // 3)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            good = CheckpointStore(copied).read_newest()
        found["cases"] += 1
        found["fell back"] += good.name == names[-2]
        found["warned"] += len(told) == 1 and names[-1] in str(told[0].message) and names[-2] in str(told[0].message)
        shutil.rmtree(copied)
    return found


def kept_three(folder):
    fit("classifier", folder, keep_checkpoints=3)


def fallen_back(place):
    """Go on from a run whose newest checkpoint is damaged, and from one whose every checkpoint is."""
    expected = reference(place, "classifier")[0]
    folder = Path(place) / "fall"
    assert ended(forked(stopped, "classifier", folder, 9, signal.SIGTERM)) == 143
    names = CheckpointStore(folder).list_names()
    spoil(folder / "checkpoints" / names[-1], "flipped", 3)
    assert ended(forked(fit_with_warnings, folder)) == 0
    same = digest(folder) == expected
    for name in CheckpointStore(folder).list_names():
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
    from zoo.training.checkpoint import fingerprint

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
    names = CheckpointStore(folder).list_names()
    return json.dumps(
        [len(model.history), [str(each.message) for each in told], names, sorted(os.listdir(folder / "checkpoints"))]
    )


def _stopped_on_full_disk(place):
    try:
        fit(
            "classifier",
            Path(place) / "stopped",
            callbacks=[Limit(2), Signal(3, signal.SIGINT)],
            checkpoint_every="1 step",
        )
    except KeyboardInterrupt as end:
        return str(end)


def stopped_on_full_disk(place):
    """Stop where the step can no longer be written; return what is said."""
    return told_by(_stopped_on_full_disk, place)


def full_disk(place):
    """Train on a disk that fills up after a step; return epochs trained, warnings, and what lies there."""
    return json.loads(told_by(_limited_fit, place))


def fit_with_warnings(folder):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit("classifier", folder)
    assert any("resuming from the checkpoint" in str(each.message) for each in told)
