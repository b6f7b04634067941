"""Check saving, loading, dtypes, devices and export of a model. Each docstring is the claim that the check tests."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from zoo.api import load
from zoo.device import resolve_device
from zoo.model import Model
from zoo.testing.fake_device import FIX, check_device
from zoo.testing.models.subject import ModelSubject
from zoo.testing.models.training import make_easy_images, shorten_recipe
from zoo.testing.report import CheckFailure, require
from zoo.testing.state import copy_state, is_equal


def _save_and_load(model: Model) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        return load(model.save(Path(folder) / "model"))


def saved_and_loaded_bitwise(subject: ModelSubject) -> None:
    """A loaded model has the same weights, config, classes, history and outputs as the saved one, bit for bit."""
    model = subject.create()
    model.fit(make_easy_images(model, 32), recipe=shorten_recipe(model, 1), progress=False)
    loaded = _save_and_load(model)
    fix = "keep all state in parameters and buffers, and do not change it while loading"
    is_same = is_equal(copy_state(model.net), copy_state(loaded.net))
    require(is_same, "saving and loading changed the weights", fix)
    is_same = (model.config, model.classes, model.preprocessing) == (
        loaded.config,
        loaded.classes,
        loaded.preprocessing,
    )
    is_same = is_same and loaded.history == model.history
    require(is_same, "saving and loading changed the config, classes or history", fix)
    is_same = torch.equal(subject.compute_outputs(model), subject.compute_outputs(loaded))
    require(is_same, "saving and loading changed the outputs", fix)
    is_eval = not any(module.training for module in loaded.net.modules())
    require(is_eval, "a loaded model is not in eval mode", "do not override train()")


def saved_in_other_number_types(subject: ModelSubject) -> None:
    """In bfloat16, float16 and float64 a model is saved and loaded with the same outputs, bit for bit."""
    fix = "create no tensor of a fixed dtype in forward; register constants as buffers"
    for dtype in ("bfloat16", "float16", "float64"):
        model = subject.create().to(dtype=dtype)
        loaded = _save_and_load(model)
        is_same = is_equal(copy_state(model.net), copy_state(loaded.net))
        require(is_same, f"saving and loading changed {dtype} weights", fix)
        is_same = torch.equal(subject.compute_outputs(model, 4), subject.compute_outputs(loaded, 4))
        require(is_same, f"saving and loading changed {dtype} outputs", fix)


def state_is_whole(subject: ModelSubject) -> None:
    """The state dict is complete: loaded into a model of another seed, it gives the same outputs."""
    first, other = subject.create(1), subject.create(2)
    other.net.load_state_dict(first.net.state_dict())
    is_same = torch.equal(subject.compute_outputs(first), subject.compute_outputs(other))
    fix = "keep random and learned values in parameters and persistent buffers"
    require(is_same, "the state dict does not determine the outputs", fix)


def strict_loading(subject: ModelSubject) -> None:
    """A missing, unexpected or wrongly shaped tensor is refused."""
    net = subject.build_net()
    state = net.state_dict()
    key = next(iter(state))
    wrong = {
        f"missing {key}": {name: tensor for name, tensor in state.items() if name != key},
        "unexpected no.such.tensor": {**state, "no.such.tensor": torch.zeros(1)},
        f"wrongly shaped {key}": {**state, key: torch.zeros(*state[key].shape, 2)},
    }
    for problem, each in wrong.items():
        try:
            net.load_state_dict(each)
        except RuntimeError:
            continue
        raise CheckFailure(f"load_state_dict accepted a {problem}; do not override it or add hooks to it")


def follows_device_and_dtype(subject: ModelSubject) -> None:
    """The net runs in float64 and on any device."""
    net, images = subject.build_net(), subject.make_net_input()
    check_device(net, images)
    output = net.double()(images.double())
    require(output.dtype == torch.float64, f"the output of a float64 net is {output.dtype}", FIX)
    device = resolve_device(None)
    output = net.float().to(device)(images.to(device))
    require(output.device.type == device.type, f"the output of a net on {device} is on {output.device}", FIX)


def exports(subject: ModelSubject) -> None:
    """`torch.export` gives a program with the same output."""
    net, images = subject.build_net(), subject.make_net_input()
    program = torch.export.export(net, (images,))
    gap = float((program.module()(images) - net(images)).detach().abs().max())
    require(
        gap <= 1e-5, f"the exported program's output differs by {gap:.2g}", "do not branch on the value of a tensor"
    )
