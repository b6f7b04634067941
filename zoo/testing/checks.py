"""The checks, each a sentence about how every model behaves."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.api import create, load
from zoo.data import Batch, Images
from zoo.data.resize import Normalize
from zoo.errors import ConfigError, ImageError
from zoo.inference import device_named
from zoo.model import Model
from zoo.randomness import generator, isolated
from zoo.recipe import Recipe
from zoo.signature import Classes
from zoo.tasks import Classification
from zoo.testing.subject import CheckFailure, Subject

Check = Callable[[Subject], None]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise CheckFailure(message)


def _weights(model: Model) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.net.state_dict().items()}


def _equal(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


def _random_states() -> tuple[Any, ...]:
    legacy = np.random.get_state()
    return random.getstate(), legacy[1].tobytes(), legacy[2:], torch.get_rng_state().numpy().tobytes()  # type: ignore[union-attr, index]


def same_seed_same_weights(subject: Subject) -> None:
    """The same seed gives the same weights twice, another seed others."""
    first, again, other = (_weights(subject.make(seed)) for seed in (3, 3, 4))
    _require(_equal(first, again), "the same seed gave two sets of weights; draw them with torch's default generator")
    _require(not _equal(first, other), "two seeds gave the same weights; they must depend on torch's default generator")


def random_state_untouched(subject: Subject) -> None:
    """Making, using, saving and loading leave the global random states as they were."""
    images = subject.images()
    before = _random_states()
    model = subject.make()
    model.predict(images)
    with tempfile.TemporaryDirectory() as folder:
        load(model.save(Path(folder) / "model"))
    _require(_random_states() == before, "a global random state moved; do not seed or draw outside the builder")


def config_is_complete(subject: Subject) -> None:
    """The stored config rebuilds the same net, whatever the defaults become."""
    model = subject.make()
    again = create(subject.name, seed=model.seed, **model.config)
    _require(again.config == model.config, f"config {model.config} became {again.config} when given back")
    _require(_equal(_weights(model), _weights(again)), "the stored config gives other weights than the model has")


def unknown_option_refused(subject: Subject) -> None:
    """An option the model does not take is an error, not silence."""
    try:
        subject.make(no_such_option=1)
    except ConfigError:
        return
    raise CheckFailure("an unknown option was accepted; give the builder named parameters and no **kwargs")


def parameters_counted(subject: Subject) -> None:
    """The number of weights the spec declares is true."""
    model = subject.make()
    declared = model.spec.parameters
    if declared is not None and not subject.config:
        _require(
            declared == model.num_parameters,
            f"the spec declares {declared} weights, the net has {model.num_parameters}",
        )


def logits_shaped(subject: Subject) -> None:
    """Logits are (N, K), for batches of any size."""
    model = subject.make()
    for num in (1, 2, 7):
        logits = model.logits(subject.images(num))
        expected = (num, len(model.classes))
        _require(
            tuple(logits.shape) == expected, f"logits are {tuple(logits.shape)} for {num} images, expected {expected}"
        )


def any_number_of_classes(subject: Subject) -> None:
    """The model can be made for 2 and for 37 classes."""
    for num in (2, 37):
        model = subject.make(classes=num)
        _require(model.logits(subject.images(2)).shape[1] == num, f"classes={num} does not give {num} logits")


def any_number_of_channels(subject: Subject) -> None:
    """The model can be made for grey and for colour images."""
    for num in (1, 3):
        model = subject.make(channels=num)
        pixels = torch.zeros(2, num, *model.preprocessing.size, dtype=torch.uint8)
        _require(len(model.predict(pixels)) == 2, f"channels={num} does not predict")


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
    _require(
        gap <= 1e-4 * max(1.0, float(whole.abs().max())),
        f"logits differ by {gap:.2g} between a batch and single images",
    )


def order_kept(subject: Subject) -> None:
    """Answers come in the order of the images."""
    model, images = subject.make(), subject.images(9)
    backwards = model.logits(images.images.flip(0)).flip(0)
    gap = float((model.logits(images) - backwards).abs().max())
    _require(gap <= 1e-4, f"logits of reversed images differ by {gap:.2g}; answers must follow the order of images")


def eval_mode_deterministic(subject: Subject) -> None:
    """Predicting twice gives the same, and leaves every module in the mode it was in."""
    model, images = subject.make(), subject.images()
    _require(not any(module.training for module in model.net.modules()), "a fresh model is not in eval mode")
    model.net.train()
    weights = _weights(model)
    answers = []
    for seed in (1, 2):
        with isolated(seed):
            answers.append(model.logits(images))
    _require(torch.equal(*answers), "two predictions of the same images differ; forward draws numbers in eval mode")
    _require(all(module.training for module in model.net.modules()), "predict changed the mode of a module")
    _require(_equal(weights, _weights(model)), "predict changed a weight or buffer")


def gradients_reach_every_weight(subject: Subject) -> None:
    """Every weight gets a finite gradient, and some weight a gradient that is not zero."""
    model, images = subject.make(), subject.images(24)
    task = Classification(Normalize(model.preprocessing))
    model.net.train()
    for loss in task.losses({"net": model.net}, Batch(images.images, images.labels)):
        loss.value.backward()
    without = [name for name, weight in model.net.named_parameters() if weight.requires_grad and weight.grad is None]
    _require(not without, f"no gradient reaches {', '.join(without)}; remove these weights or use them in forward")
    finite = all(
        bool(torch.isfinite(weight.grad).all()) for weight in model.net.parameters() if weight.grad is not None
    )
    _require(finite, "a gradient is not finite on random images")


def loss_falls(subject: Subject) -> None:
    """A few epochs on a small task make the loss fall."""
    model = subject.make()
    history = model.fit(_easy(model, 64), recipe=_short(model, 15), progress=False).history
    first, last = history[0]["loss"], history[-1]["loss"]
    _require(last < first, f"the loss went from {first:.4f} to {last:.4f} in 15 epochs of an easy task")


def fits_are_repeatable(subject: Subject) -> None:
    """Two fits of the same seed on the same images end with the same weights."""
    ends = []
    for _ in range(2):
        model = subject.make()
        ends.append(_weights(model.fit(_easy(model, 40), recipe=_short(model, 2), progress=False)))
    _require(_equal(*ends), "two fits of one seed ended with other weights; draw only from torch's default generator")


def _easy(model: Model, num: int) -> Images:
    """Return images whose brightness tells the class: two of the model's classes."""
    wants = model.preprocessing
    labels = torch.arange(num) % 2
    noise = torch.randint(0, 60, (num, wants.channels, *wants.size), generator=generator(1, "easy"), dtype=torch.uint8)
    pixels = noise + (labels * 180).to(torch.uint8).view(-1, 1, 1, 1)
    return Images(pixels, labels, Classes.numbered(len(model.classes)))


def _short(model: Model, epochs: int) -> Recipe:
    return model.spec.recipe.replace(
        epochs=epochs,
        batch_size=16,
        validation=0.0,
        keep="last",
        optimizer="adam",
        lr=0.01,
        momentum=0.0,
        nesterov=False,
    )


def saved_and_loaded_bitwise(subject: Subject) -> None:
    """A saved model comes back with the same weights, config, classes, history and answers, bit for bit."""
    model, images = subject.make(), subject.images()
    model.fit(_easy(model, 32), recipe=_short(model, 1), progress=False)
    with tempfile.TemporaryDirectory() as folder:
        again = load(model.save(Path(folder) / "model"))
    _require(_equal(_weights(model), _weights(again)), "weights changed by saving and loading")
    same = (model.config, model.classes, model.preprocessing) == (again.config, again.classes, again.preprocessing)
    _require(same and again.history == model.history, "config, classes, preprocessing or history changed by saving")
    _require(torch.equal(model.logits(images), again.logits(images)), "answers changed by saving and loading")
    _require(not any(module.training for module in again.net.modules()), "a loaded model is not in eval mode")


def weights_not_shared(subject: Subject) -> None:
    """Two models do not share memory."""
    first, second = subject.make(), subject.make()
    places = {weight.data_ptr() for weight in first.net.state_dict().values() if weight.numel()}
    shared = [
        name for name, weight in second.net.state_dict().items() if weight.numel() and weight.data_ptr() in places
    ]
    _require(not shared, f"two models share the memory of {', '.join(shared)}; make tensors in the builder")


def follows_device_and_dtype(subject: Subject) -> None:
    """The net runs in float64 and on every device that is there: no tensor is made aside of its weights."""
    model = subject.make()
    wants = model.preprocessing
    images = torch.rand(2, wants.channels, *wants.size, generator=generator(0, "dtype"))
    logits = model.net.double()(images.double())
    _require(logits.dtype == torch.float64, f"a float64 net gave {logits.dtype}; register constants as buffers")
    device = device_named(None)
    moved = model.net.float().to(device)(images.to(device))
    _require(moved.device.type == device.type, f"a net on {device} answered on {moved.device}")


def exports(subject: Subject) -> None:
    """`torch.export` gives a program with the same answers."""
    model = subject.make()
    wants = model.preprocessing
    images = torch.rand(2, wants.channels, *wants.size, generator=generator(0, "export"))
    program = torch.export.export(model.net, (images,))
    gap = float((program.module()(images) - model.net(images)).detach().abs().max())
    _require(gap <= 1e-5, f"the exported program's logits differ by {gap:.2g}")


def described(subject: Subject) -> None:
    """The spec says in one line what the model is."""
    spec = subject.make().spec
    _require(bool(spec.summary.strip()) and "\n" not in spec.summary, "the spec has no summary of one line")


def _checks() -> Iterator[Check]:
    yield from (same_seed_same_weights, weights_not_shared, random_state_untouched)
    yield from (config_is_complete, unknown_option_refused)
    yield from (
        parameters_counted,
        logits_shaped,
        any_number_of_classes,
        any_number_of_channels,
        wrong_channels_refused,
    )
    yield from (order_kept, batch_of_one_equals_batch_of_many, eval_mode_deterministic, gradients_reach_every_weight)
    yield from (loss_falls, fits_are_repeatable, saved_and_loaded_bitwise)
    yield from (follows_device_and_dtype, exports, described)


CHECKS: dict[str, Check] = {check.__name__: check for check in _checks()}
"""Every check by name."""
