"""Check how a model trains: gradients, recipes, repeatable fits. Each docstring is the claim that the check tests."""

from __future__ import annotations

import torch

from zoo.data import Batch, Images
from zoo.errors import ZooError
from zoo.model import Model
from zoo.recipe import Recipe
from zoo.seeding import make_generator
from zoo.signature import Classes
from zoo.testing.models.subject import ModelSubject
from zoo.testing.report import CheckFailure, require
from zoo.testing.state import copy_state, find_weights_without_gradient, is_equal


def gradients_reach_every_weight(subject: ModelSubject) -> None:
    """Every weight gets a finite gradient."""
    model, images = subject.create(), subject.make_images(24)
    task = subject.make_task(model)
    for loss in task.losses(task.players(model.net.train()), Batch(images.images, images.labels)):
        loss.value.backward()
    unreached = find_weights_without_gradient(model.net)
    require(not unreached, f"no gradient reaches {', '.join(unreached)}", "remove these weights or use them in forward")
    gradients = [weight.grad for weight in model.net.parameters() if weight.grad is not None]
    is_finite = all(bool(torch.isfinite(each).all()) for each in gradients)
    require(is_finite, "a gradient is not finite on random images", "do not divide by zero")


def fits_are_repeatable(subject: ModelSubject) -> None:
    """Two fits with the same seed and images give the same weights."""
    states = []
    for _ in range(2):
        model = subject.create()
        model.fit(make_easy_images(model, 40), recipe=shorten_recipe(model, 2), progress=False)
        states.append(copy_state(model.net))
    fix = "draw random numbers only from torch's default generator"
    require(is_equal(*states), "two fits with the same seed gave other weights", fix)


def recipes_train(subject: ModelSubject) -> None:
    """Every recipe of the model trains it for an epoch."""
    spec = subject.create().spec
    for name, recipe in {"": spec.recipe, **spec.recipes}.items():
        model = subject.create()
        label = f"recipe {name!r}" if name else "its default recipe"
        try:
            model.fit(make_easy_images(model, 40), recipe=recipe.replace(epochs=1, compile=False), progress=False)
        except ZooError as error:
            raise CheckFailure(f"{label} does not train it: {error}; correct the recipe in its ModelSpec") from error


def make_easy_images(model: Model, num: int) -> Images:
    """Return images of two classes in alternation, which differ in brightness."""
    preprocessing = model.preprocessing
    labels = torch.arange(num) % 2
    shape = (num, preprocessing.channels, *preprocessing.size)
    noise = torch.randint(0, 60, shape, generator=make_generator(1, "easy"), dtype=torch.uint8)
    pixels = noise + (labels * 180).to(torch.uint8).view(-1, 1, 1, 1)
    return Images(pixels, labels, Classes.numbered(len(model.classes)))


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
