"""Checks of a model that draws images: its parts, shapes and order, and that it learns to draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.api import create
from zoo.data import Batch, Images
from zoo.errors import ConfigError
from zoo.model import Model
from zoo.seeding import use_seed
from zoo.tasks.generation import one_hot
from zoo.testing.models.forward import check_has_option
from zoo.testing.models.subject import ModelSubject, require
from zoo.testing.models.training import make_easy_images, shorten_recipe


def _get_net(model: Model) -> Any:
    """Return a net, whose two parts are known only when it runs."""
    return model.net


def parts_declared(subject: ModelSubject) -> None:
    """The net has a generator that says how many numbers and classes its codes have, and a discriminator."""
    model = subject.make()
    for part in ("generator", "discriminator"):
        require(
            isinstance(getattr(model.net, part, None), torch.nn.Module), f"the net has no {part}", f"name it {part}"
        )
    generator = _get_net(model).generator
    for name in ("num_noise", "num_labels"):
        found = getattr(generator, name, None)
        require(isinstance(found, int), f"generator.{name} is {found!r}", f"set {name} to a whole number in __init__")
    num = generator.num_labels
    require(num in (0, len(model.classes)), f"num_labels is {num} for {len(model.classes)} classes", "use `classes`")


def images_shaped(subject: ModelSubject) -> None:
    """Drawn images are of the model's size and channels, in [-1, 1], and as many as are asked for."""
    model = subject.make()
    wants = model.preprocessing
    for num in (1, 2, 7):
        found = model.sample(num).images.shape
        expected = (num, wants.channels, *wants.size)
        require(found == expected, f"{num} images are {found}, expected {expected}", "draw (B, C, H, W)")
    drawn = _generate(model, subject.make_net_input(16))
    reach = float(drawn.abs().max())
    require(reach <= 1, f"drawn levels reach {reach:.3g}", "end the generator in a tanh")


def scores_shaped(subject: ModelSubject) -> None:
    """The discriminator gives one score an image."""
    model = subject.make()
    for num in (1, 3):
        images = _generate(model, subject.make_net_input(num))
        labels = one_hot(torch.arange(num) % len(model.classes), _get_net(model).generator)
        with torch.no_grad():
            found = tuple(_get_net(model).discriminator(images, labels).shape)
        require(found == (num,), f"scores of {num} images are {found}, expected {(num,)}", "flatten the scores")


def _generate(model: Model, codes: Tensor) -> Tensor:
    with torch.no_grad():
        images: Tensor = model.net(codes)
    return images


def any_number_of_classes_is_drawn(subject: ModelSubject) -> None:
    """The model can be made for 2 and for 37 classes, and draws the last of them."""
    check_has_option(subject, "classes: int = 10")
    for num in (2, 37):
        model = subject.make(classes=num)
        asked: Any = [num - 1] if _get_net(model).generator.num_labels else 1
        require(len(model.sample(asked).images) == 1, f"classes={num} does not draw", "use `classes` in both parts")


def any_number_of_channels_is_drawn(subject: ModelSubject) -> None:
    """The model can be made for grey and for colour images."""
    check_has_option(subject, "channels: int = 1")
    for num in (1, 3):
        found = subject.make(channels=num).sample(2).images.shape[1]
        require(found == num, f"channels={num} draws {found} channels", "use `channels` in the last layer")


def other_sizes_drawn_or_refused(subject: ModelSubject) -> None:
    """Another size is drawn too, or refused when the model is made."""
    model = subject.make()
    height, width = model.preprocessing.size
    for size in ((height, width + 4), (height + 3, width), (2 * height, 2 * width), (8, 8), (1, 1)):
        try:
            other = create(subject.name, seed=0, **{**model.config, "size": size})
        except ConfigError:  # a clear refusal, before any image is drawn
            continue
        found = other.sample(2).images.shape[2:]
        require(found == size, f"made for images of {size}, it draws {found}", "raise a ConfigError for that size")


def same_question_same_images(subject: ModelSubject) -> None:
    """The same seed draws the same images, another seed others, and classes come in the order they are asked for."""
    model = subject.make()
    with use_seed(1):
        first = model.sample(6).images.numpy()
    with use_seed(2):
        again = model.sample(6).images.numpy()
    require(np.array_equal(first, again), "two answers to one question differ", "draw no numbers in forward")
    other = model.sample(6, seed=1).images.numpy()
    require(not np.array_equal(first, other), "two seeds draw the same images", "let the image depend on the noise")


def alone_as_in_a_batch(subject: ModelSubject) -> None:
    """A code gives the same image alone as in a batch, wherever it stands: no statistics of the batch in eval mode."""
    model, codes = subject.make(), subject.make_net_input(6)
    whole = _generate(model, codes)
    single = torch.cat([_generate(model, code[None]) for code in codes])
    backwards = _generate(model, codes.flip(0)).flip(0)
    gap = max(float((whole - other).abs().max()) for other in (single, backwards))
    require(
        gap <= 1e-4, f"an image differs by {gap:.2g} between batches", "use no statistics of the batch in eval mode"
    )


def finite_for_any_noise(subject: ModelSubject) -> None:
    """No noise at all, and noise ten times too large, give finite images."""
    model, codes = subject.make(), subject.make_net_input(4)
    for scale in (0.0, 10.0):
        is_finite = bool(_generate(model, scale * codes).isfinite().all())
        require(is_finite, f"noise of {scale:g} times its size gives images that are not finite", "divide by no noise")


def each_player_steps_alone(subject: ModelSubject) -> None:
    """The discriminator's loss reaches its own weights only, and the generator's loss its own only."""
    model, images = subject.make(), subject.make_images(8)
    players = subject.make_task(model).players(model.net.train())
    for loss in subject.make_task(model).losses(players, Batch(images.images, images.labels)):
        model.net.zero_grad()
        loss.value.backward()
        reached = {name for name, net in players.items() if any(w.grad is not None for w in net.parameters())}
        mend = "share no weight between the two"
        require(reached == {loss.player}, f"the {loss.player}'s loss reaches {sorted(reached)}", mend)


def learns_to_draw(subject: ModelSubject) -> None:
    """Trained on dark and bright images it draws dark ones of the dark class, and brighter ones of the bright class.

    Without classes it is trained on dark images alone.
    """
    model = subject.make()
    images = make_easy_images(model, 32)
    dark, bright = images[::2], images[1::2]
    images = images if _get_net(model).generator.num_labels else dark
    target, started = _mean_level(dark), _sample_brightness(model, 0)
    gap = (_mean_level(bright) - target) / 16 if _get_net(model).generator.num_labels else float("-inf")
    for _ in range(12):
        model.fit(images, recipe=shorten_recipe(model, 10).replace(lr=2e-3, ema=0.0, augment=()), progress=False)
        drawn, other = _sample_brightness(model, 0), _sample_brightness(model, 1)
        if abs(drawn - target) < abs(started - target) / 2 and other - drawn > gap:
            return
    wanted, told = (target, _mean_level(bright)), f"{drawn:.0f} and {other:.0f}"
    told = f"dark and bright images, of {wanted[0]:.0f} and {wanted[1]:.0f} on the mean, it draws at {told}"
    mend = "look for a detached tensor, or a class that does not reach the image"
    require(False, f"{told} after {len(model.history)} epochs", mend)


def _mean_level(images: Images) -> float:
    return float(images.images.float().mean())


def _sample_brightness(model: Model, label: int) -> float:
    """Return the mean level of images drawn of a class, where the model knows classes."""
    asked: Any = [label] * 16 if _get_net(model).generator.num_labels else 16
    return float(model.sample(asked).images.float().mean())
