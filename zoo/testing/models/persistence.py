"""Checks of how a model lasts: saving, loading, number types, devices, export."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from zoo.api import load
from zoo.device import resolve_device
from zoo.model import Model
from zoo.testing.fake_device import check_device
from zoo.testing.models.subject import ModelSubject, copy_weights, is_equal, require
from zoo.testing.models.training import make_easy_images, shorten_recipe


def _save_and_load(model: Model) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        return load(model.save(Path(folder) / "model"))


def saved_and_loaded_bitwise(subject: ModelSubject) -> None:
    """A saved model comes back with the same weights, config, classes, history and answers, bit for bit."""
    model = subject.make()
    model.fit(make_easy_images(model, 32), recipe=shorten_recipe(model, 1), progress=False)
    again = _save_and_load(model)
    mend = "keep all state in parameters and buffers, and change none of it while loading"
    require(is_equal(copy_weights(model), copy_weights(again)), "weights changed by saving and loading", mend)
    same = (model.config, model.classes, model.preprocessing) == (again.config, again.classes, again.preprocessing)
    require(same and again.history == model.history, "config, classes or history changed by saving and loading", mend)
    require(
        torch.equal(subject.compute_outputs(model), subject.compute_outputs(again)),
        "answers changed by saving and loading",
        mend,
    )
    is_eval = not any(module.training for module in again.net.modules())
    require(is_eval, "a loaded model is not in eval mode", "do not override train()")


def saved_in_other_number_types(subject: ModelSubject) -> None:
    """Moved to bfloat16, float16 or float64, a model is saved, loaded and answers the same, bit for bit."""
    for kind in ("bfloat16", "float16", "float64"):
        model = subject.make().to(dtype=kind)
        again = _save_and_load(model)
        mend = "make no tensor of a fixed type in forward; register constants as buffers"
        require(
            is_equal(copy_weights(model), copy_weights(again)), f"{kind} weights changed by saving and loading", mend
        )
        is_same = torch.equal(subject.compute_outputs(model, 4), subject.compute_outputs(again, 4))
        require(is_same, f"{kind} answers changed by saving and loading", mend)


def state_is_whole(subject: ModelSubject) -> None:
    """The stored tensors hold everything: given to a model of another seed, they make it answer the same."""
    first, other = subject.make(1), subject.make(2)
    other.net.load_state_dict(first.net.state_dict())
    mend = "keep what is drawn at random or learned in parameters and persistent buffers"
    require(
        torch.equal(subject.compute_outputs(first), subject.compute_outputs(other)),
        "the stored tensors do not make the model",
        mend,
    )


def strict_loading(subject: ModelSubject) -> None:
    """A tensor that is missing, unexpected or of another shape is refused, never passed over."""
    net = subject.make().net
    whole = net.state_dict()
    key = next(iter(whole))
    wrong = {
        "missing": {name: tensor for name, tensor in whole.items() if name != key},
        "unexpected": {**whole, "no.such.tensor": torch.zeros(1)},
        "misshapen": {**whole, key: torch.zeros(*whole[key].shape, 2)},
    }
    for kind, state in wrong.items():
        try:
            net.load_state_dict(state)
        except RuntimeError:
            continue
        named = "no.such.tensor" if kind == "unexpected" else key
        require(False, f"a {kind} {named} was accepted", "leave load_state_dict and its hooks as torch has them")


def follows_device_and_dtype(subject: ModelSubject) -> None:
    """The net runs in float64 and on any device, also one that is not here: no tensor is made aside of its weights."""
    model, images = subject.make(), subject.make_net_input()
    check_device(model.net, images)
    logits = model.net.double()(images.double())
    require(logits.dtype == torch.float64, f"a float64 net gave {logits.dtype}; register constants as buffers")
    device = resolve_device(None)
    moved = model.net.float().to(device)(images.to(device))
    mend = "register constants as buffers, and make tensors on the device of the images"
    require(moved.device.type == device.type, f"a net on {device} answered on {moved.device}", mend)


def exports(subject: ModelSubject) -> None:
    """`torch.export` gives a program with the same answers."""
    model, images = subject.make(), subject.make_net_input()
    program = torch.export.export(model.net, (images,))
    gap = float((program.module()(images) - model.net(images)).detach().abs().max())
    require(gap <= 1e-5, f"the exported program's logits differ by {gap:.2g}", "branch on no value of a tensor")
