"""Checks of how a model learns and lasts: gradients, loss, repeatable fits, saving."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from zoo.api import load
from zoo.data import Batch, Images
from zoo.data.resize import Normalize
from zoo.model import Model
from zoo.randomness import generator
from zoo.recipe import Recipe
from zoo.signature import Classes
from zoo.tasks import Classification
from zoo.testing.subject import Subject, is_equal, require, weights_of


def gradients_reach_every_weight(subject: Subject) -> None:
    """Every weight gets a finite gradient, and some weight a gradient that is not zero."""
    model, images = subject.make(), subject.images(24)
    task = Classification(Normalize(model.preprocessing))
    model.net.train()
    for loss in task.losses({"net": model.net}, Batch(images.images, images.labels)):
        loss.value.backward()
    without = [name for name, weight in model.net.named_parameters() if weight.requires_grad and weight.grad is None]
    require(not without, f"no gradient reaches {', '.join(without)}; remove these weights or use them in forward")
    finite = all(
        bool(torch.isfinite(weight.grad).all()) for weight in model.net.parameters() if weight.grad is not None
    )
    require(finite, "a gradient is not finite on random images")


def loss_falls(subject: Subject) -> None:
    """A few epochs on a small task make the loss fall, by a twentieth at least."""
    model = subject.make()
    history = model.fit(_easy(model, 64), recipe=_short(model, 15), progress=False).history
    first, last = history[0]["loss"], history[-1]["loss"]
    require(last < 0.95 * first, f"the loss went from {first:.4f} to {last:.4f} in 15 epochs of an easy task")


def fits_are_repeatable(subject: Subject) -> None:
    """Two fits of the same seed on the same images end with the same weights."""
    ends = []
    for _ in range(2):
        model = subject.make()
        ends.append(weights_of(model.fit(_easy(model, 40), recipe=_short(model, 2), progress=False)))
    require(is_equal(*ends), "two fits of one seed ended with other weights; draw only from torch's default generator")


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
    require(is_equal(weights_of(model), weights_of(again)), "weights changed by saving and loading")
    same = (model.config, model.classes, model.preprocessing) == (again.config, again.classes, again.preprocessing)
    require(same and again.history == model.history, "config, classes, preprocessing or history changed by saving")
    require(torch.equal(model.logits(images), again.logits(images)), "answers changed by saving and loading")
    require(not any(module.training for module in again.net.modules()), "a loaded model is not in eval mode")
