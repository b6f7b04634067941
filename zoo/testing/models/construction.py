"""Checks of how a model is made: seeds, memory, and what must stay as it was."""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path
from typing import Any

import torch

from zoo.api import load
from zoo.seeding import use_seed
from zoo.testing.fresh_process import hash_in_fresh_process
from zoo.testing.models.subject import ModelSubject, copy_weights, get_random_states, hash_tensors, is_equal, require

UNUSUAL_SEED = 6_180_339
"""A seed that nobody sets, so that setting one shows."""


def same_seed_same_weights(subject: ModelSubject) -> None:
    """The same seed gives the same weights twice, another seed others."""
    first, again, other = (copy_weights(subject.make(seed)) for seed in (3, 3, 4))
    require(is_equal(first, again), "the same seed gave two sets of weights; draw them with torch's default generator")
    require(not is_equal(first, other), "two seeds gave the same weights; draw them with torch's default generator")


def random_state_untouched(subject: ModelSubject) -> None:
    """Making, using, saving and loading leave the global random states as they were."""
    asked = subject.make_predict_input()
    with use_seed(UNUSUAL_SEED), tempfile.TemporaryDirectory() as folder:
        before = get_random_states()
        model = subject.make()
        model.predict(asked)
        load(model.save(Path(folder) / "model"))
        after = get_random_states()
    require(after == before, "a global random state moved; do not seed or draw outside the builder")


def _read_settings() -> dict[str, Any]:
    return {
        "torch's default number type": torch.get_default_dtype(),
        "torch's default device": torch.get_default_device(),
        "whether gradients are on": torch.is_grad_enabled(),
        "torch's number of threads": torch.get_num_threads(),
        "whether torch is deterministic": torch.are_deterministic_algorithms_enabled(),
        "torch's float32 precision": torch.get_float32_matmul_precision(),
        "the current folder": os.getcwd(),
        "the environment": dict(os.environ),
    }


def settings_untouched(subject: ModelSubject) -> None:
    """Making and using the model changes no setting of torch or of the process."""
    before = _read_settings()
    subject.make()
    before["the environment"] = dict(os.environ)  # libraries that are imported now may have set theirs
    model = subject.make()
    model.net.train()(subject.make_net_input(8))
    changed = [name for name, value in _read_settings().items() if value != before[name]]
    _restore(before)
    require(not changed, f"it changed {', '.join(changed)}", "leave the process as it is, or use a `with` block")


def _restore(before: dict[str, Any]) -> None:
    torch.set_default_dtype(before["torch's default number type"])
    torch.set_grad_enabled(before["whether gradients are on"])
    torch.set_num_threads(before["torch's number of threads"])
    torch.use_deterministic_algorithms(before["whether torch is deterministic"])
    os.chdir(before["the current folder"])


def weights_not_shared(subject: ModelSubject) -> None:
    """Two models do not share memory."""
    first, second = subject.make(), subject.make()
    places = {weight.data_ptr() for weight in first.net.state_dict().values() if weight.numel()}
    shared = [
        name for name, weight in second.net.state_dict().items() if weight.numel() and weight.data_ptr() in places
    ]
    require(not shared, f"two models share the memory of {', '.join(shared)}; make tensors in the builder")


def copies_stand_alone(subject: ModelSubject) -> None:
    """A deep copy of the net answers the same and shares no memory; averaging weights needs one."""
    net, images = subject.make().net, subject.make_net_input()
    twin = copy.deepcopy(net)
    with torch.no_grad():
        require(torch.equal(twin(images), net(images)), "a copy answers otherwise", "keep no state aside of the net")
        for tensor in twin.state_dict().values():
            tensor.zero_()
    places = {tensor.data_ptr() for tensor in net.state_dict().values() if tensor.numel()}
    shared = [key for key, each in twin.state_dict().items() if each.numel() and each.data_ptr() in places]
    mend = "do not define __deepcopy__, and keep tensors as parameters and buffers"
    require(not shared, f"a copy shares the memory of {', '.join(shared)}", mend)


def rebuilt_in_a_fresh_process(subject: ModelSubject) -> None:
    """Config and seed alone give the same weights in a fresh process: no environment, no hash order, no leftovers."""
    model = subject.make()
    found = hash_in_fresh_process(model.spec, model.config, model.seed)
    mend = "make every default a parameter of the builder; read no environment, file or global that can change"
    require(
        found == hash_tensors(model.net.state_dict()), "a fresh process builds other weights from config and seed", mend
    )
