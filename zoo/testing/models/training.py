"""Checks of how a model learns: gradients, loss, recipes, repeatable fits."""

from __future__ import annotations

import torch

from zoo.data import Batch, Images
from zoo.errors import ZooError
from zoo.model import Model
from zoo.recipe import Recipe
from zoo.seeding import make_generator
from zoo.signature import Classes
from zoo.testing.models.subject import CheckFailure, ModelSubject, copy_weights, is_equal, require


def gradients_reach_every_weight(subject: ModelSubject) -> None:
    """Every weight gets a finite gradient, and some weight a gradient that is not zero."""
    model, images = subject.make(), subject.make_images(24)
    task = subject.make_task(model)
    for loss in task.losses(task.players(model.net.train()), Batch(images.images, images.labels)):
        loss.value.backward()
    without = [name for name, weight in model.net.named_parameters() if weight.requires_grad and weight.grad is None]
    require(not without, f"no gradient reaches {', '.join(without)}; remove these weights or use them in forward")
    finite = all(
        bool(torch.isfinite(weight.grad).all()) for weight in model.net.parameters() if weight.grad is not None
    )
    require(finite, "a gradient is not finite on random images; divide by nothing that can be 0")


LEARNING_FIX = "two brightnesses are easy to tell apart: look for a detached tensor, a dead unit or a saturated output"


def loss_falls(subject: ModelSubject) -> None:
    """A few epochs on a small task make the loss fall, by a twentieth at least."""
    model = subject.make()
    history = model.fit(make_easy_images(model, 64), recipe=shorten_recipe(model, 15), progress=False).history
    first, last = history[0]["loss"], history[-1]["loss"]
    require(last < 0.95 * first, f"the loss went from {first:.4f} to {last:.4f} in 15 epochs", LEARNING_FIX)


def fits_are_repeatable(subject: ModelSubject) -> None:
    """Two fits of the same seed on the same images end with the same weights."""
    ends = []
    for _ in range(2):
        model = subject.make()
        ends.append(
            copy_weights(model.fit(make_easy_images(model, 40), recipe=shorten_recipe(model, 2), progress=False))
        )
    require(is_equal(*ends), "two fits of one seed ended with other weights; draw only from torch's default generator")


def make_easy_images(model: Model, num: int) -> Images:
    """Return images whose brightness tells the class: two of the model's classes, by turns."""
    wants = model.preprocessing
    labels = torch.arange(num) % 2
    noise = torch.randint(
        0, 60, (num, wants.channels, *wants.size), generator=make_generator(1, "easy"), dtype=torch.uint8
    )
    pixels = noise + (labels * 180).to(torch.uint8).view(-1, 1, 1, 1)
    return Images(pixels, labels, Classes.numbered(len(model.classes)))


def overfits_32_images(subject: ModelSubject) -> None:
    """Trained on 32 images the model labels every one of them right, through `predict` and so in eval mode."""
    model = subject.make()
    images = make_easy_images(model, 32)
    for _ in range(16):  # 320 steps: statistics that move by a hundredth a step have arrived by then
        model.fit(images, recipe=shorten_recipe(model, 10), progress=False)
        right = int((model.logits(images).argmax(1) == images.labels).sum())
        if right == 32:
            return
    require(
        False, f"after {len(model.history)} epochs it labels {right} of the 32 images it learned right", OVERFITTING_FIX
    )


OVERFITTING_FIX = "look for outputs in another order, or for layers that do otherwise in eval mode than in training"


def recipes_train(subject: ModelSubject) -> None:
    """Every recipe of the model trains it: one epoch of each."""
    spec = subject.make().spec
    for name, recipe in {"": spec.recipe, **spec.recipes}.items():
        model = subject.make()
        told = f"recipe {name!r}" if name else "its default recipe"
        try:
            model.fit(make_easy_images(model, 40), recipe=recipe.replace(epochs=1, compile=False), progress=False)
        except ZooError as error:
            raise CheckFailure(f"{told} does not train it: {error}; correct the recipe in its ModelSpec") from error


def shorten_recipe(model: Model, epochs: int) -> Recipe:
    """Return the model's recipe as a short one with Adam, on batches of 16."""
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
