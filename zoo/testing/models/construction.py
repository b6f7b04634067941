"""Check how a model is built: settings, copies, other processes. Each docstring is the claim that the check tests."""

from __future__ import annotations

import copy
import os
from typing import Any

import torch

from zoo.testing.fresh_process import hash_in_fresh_process
from zoo.testing.models.subject import ModelSubject
from zoo.testing.report import require
from zoo.testing.state import find_shared_tensors, hash_tensors


def _read_settings() -> dict[str, Any]:
    return {
        "torch's default dtype": torch.get_default_dtype(),
        "torch's default device": torch.get_default_device(),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's number of threads": torch.get_num_threads(),
        "torch's deterministic mode": torch.are_deterministic_algorithms_enabled(),
        "torch's float32 precision": torch.get_float32_matmul_precision(),
        "the working directory": os.getcwd(),
        "the environment": dict(os.environ),
    }


def settings_untouched(subject: ModelSubject) -> None:
    """Building and using the model changes no setting of torch or of the process."""
    before = _read_settings()
    subject.create()
    before["the environment"] = dict(os.environ)  # libraries that are imported now may have set variables
    model = subject.create()
    model.net.train()(subject.make_net_input(8))
    changed = [name for name, value in _read_settings().items() if value != before[name]]
    _restore(before)
    require(not changed, f"it changed {', '.join(changed)}", "leave the process as it is, or use a `with` block")


def _restore(before: dict[str, Any]) -> None:
    torch.set_default_dtype(before["torch's default dtype"])
    torch.set_grad_enabled(before["torch's gradient mode"])
    torch.set_num_threads(before["torch's number of threads"])
    torch.use_deterministic_algorithms(before["torch's deterministic mode"])
    os.chdir(before["the working directory"])


def copies_stand_alone(subject: ModelSubject) -> None:
    """A deep copy of the net gives the same output and shares no memory; weight averaging needs one."""
    net, images = subject.build_net(), subject.make_net_input()
    copied = copy.deepcopy(net)
    with torch.no_grad():
        fix = "keep all state in parameters and buffers"
        require(torch.equal(copied(images), net(images)), "a copy gives another output", fix)
        for tensor in copied.state_dict().values():
            tensor.zero_()
    shared = find_shared_tensors(net, copied)
    fix = "do not define __deepcopy__, and keep tensors as parameters and buffers"
    require(not shared, f"a copy shares the memory of {', '.join(shared)}", fix)


def rebuilt_in_a_fresh_process(subject: ModelSubject) -> None:
    """Config and seed give the same weights in a fresh process, independent of environment and hash order."""
    model = subject.create()
    digest = hash_in_fresh_process(model.spec, model.config, model.seed)
    is_same = digest == hash_tensors(model.net.state_dict())
    fix = "make every default a parameter of the builder; read no environment, file or global that can change"
    require(is_same, "a fresh process builds other weights from config and seed", fix)
