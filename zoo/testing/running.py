"""Checks of how a model runs: shapes, order, modes, devices, export."""

from __future__ import annotations

import torch

from zoo.errors import ImageError
from zoo.inference import device_named
from zoo.randomness import generator, isolated
from zoo.testing.subject import CheckFailure, Subject, is_equal, require, weights_of


def logits_shaped(subject: Subject) -> None:
    """Logits are (N, K), for batches of any size."""
    model = subject.make()
    for num in (1, 2, 7):
        logits = model.logits(subject.images(num))
        expected = (num, len(model.classes))
        require(
            tuple(logits.shape) == expected, f"logits are {tuple(logits.shape)} for {num} images, expected {expected}"
        )


def any_number_of_classes(subject: Subject) -> None:
    """The model can be made for 2 and for 37 classes."""
    for num in (2, 37):
        model = subject.make(classes=num)
        require(model.logits(subject.images(2)).shape[1] == num, f"classes={num} does not give {num} logits")


def any_number_of_channels(subject: Subject) -> None:
    """The model can be made for grey and for colour images."""
    for num in (1, 3):
        model = subject.make(channels=num)
        pixels = torch.zeros(2, num, *model.preprocessing.size, dtype=torch.uint8)
        require(len(model.predict(pixels)) == 2, f"channels={num} does not predict")


def wrong_channels_refused(subject: Subject) -> None:
    """Images of another number of channels are a clear error."""
    model = subject.make()
    wants = model.preprocessing
    try:
        model.predict(torch.zeros(2, wants.channels + 4, *wants.size, dtype=torch.uint8))
    except ImageError:
        return
    raise CheckFailure("images with four more channels were accepted")


def batch_of_one_equals_batch_of_many(subject: Subject) -> None:
    """An image gets the same logits alone as in a batch: no statistics of the batch in eval mode."""
    model, images = subject.make(), subject.images(8)
    whole = model.logits(images)
    single = torch.cat([model.logits(images[k]) for k in range(len(images))])
    gap = float((whole - single).abs().max())
    require(
        gap <= 1e-4 * max(1.0, float(whole.abs().max())),
        f"logits differ by {gap:.2g} between a batch and single images",
    )


def order_kept(subject: Subject) -> None:
    """Answers come in the order of the images."""
    model, images = subject.make(), subject.images(9)
    backwards = model.logits(images.images.flip(0)).flip(0)
    gap = float((model.logits(images) - backwards).abs().max())
    require(gap <= 1e-4, f"logits of reversed images differ by {gap:.2g}; answers must follow the order of images")


def eval_mode_deterministic(subject: Subject) -> None:
    """Predicting twice gives the same, and leaves every module in the mode it was in."""
    model, images = subject.make(), subject.images()
    require(not any(module.training for module in model.net.modules()), "a fresh model is not in eval mode")
    model.net.train()
    weights = weights_of(model)
    answers = []
    for seed in (1, 2):
        with isolated(seed):
            answers.append(model.logits(images))
    require(torch.equal(*answers), "two predictions of the same images differ; forward draws numbers in eval mode")
    require(all(module.training for module in model.net.modules()), "predict changed the mode of a module")
    require(is_equal(weights, weights_of(model)), "predict changed a weight or buffer")


def follows_device_and_dtype(subject: Subject) -> None:
    """The net runs in float64 and on every device that is there: no tensor is made aside of its weights."""
    model = subject.make()
    wants = model.preprocessing
    images = torch.rand(2, wants.channels, *wants.size, generator=generator(0, "dtype"))
    logits = model.net.double()(images.double())
    require(logits.dtype == torch.float64, f"a float64 net gave {logits.dtype}; register constants as buffers")
    device = device_named(None)
    moved = model.net.float().to(device)(images.to(device))
    require(moved.device.type == device.type, f"a net on {device} answered on {moved.device}")


def exports(subject: Subject) -> None:
    """`torch.export` gives a program with the same answers."""
    model = subject.make()
    wants = model.preprocessing
    images = torch.rand(2, wants.channels, *wants.size, generator=generator(0, "export"))
    program = torch.export.export(model.net, (images,))
    gap = float((program.module()(images) - model.net(images)).detach().abs().max())
    require(gap <= 1e-5, f"the exported program's logits differ by {gap:.2g}")
