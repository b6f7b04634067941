"""Test generators: input for them, checks that only they have, and the list of these.

Each docstring of a check is the claim that it tests.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.api import create, load
from zoo.data import Batch, Images
from zoo.errors import ConfigError
from zoo.inference.runner import run_batches
from zoo.model import Model
from zoo.seeding import make_generator, use_seed
from zoo.tasks.generation import make_codes, one_hot
from zoo.testing.models.forward import check_has_option
from zoo.testing.models.subject import ModelSubject, TaskKit
from zoo.testing.models.training import make_easy_images, shorten_recipe
from zoo.testing.report import CheckFailure, require


@dataclass(frozen=True, kw_only=True)
class GeneratorSubject(ModelSubject):
    """A generator under test."""

    def make_net_input(self, num: int = 2) -> Tensor:
        """Return random codes (N, Z + K): noise, then the class as a one-hot vector."""
        model = self.create()
        generator = _get_generator(model)
        labels = one_hot(torch.arange(num) % len(model.classes), generator)
        return make_codes(labels, generator, make_generator(num, "codes"))

    def compute_outputs(self, model: Model, num: int = 12) -> Tensor:
        """Return the images of random codes."""
        return run_batches(model.net, self.make_task(model), self.make_net_input(num))

    def prepare_use(self) -> Callable[[], object]:
        """Return a function that creates the model, samples from it, saves and loads it."""

        def use() -> None:
            with tempfile.TemporaryDirectory() as folder:
                model = self.create()
                _sample(model, 12)
                load(model.save(Path(folder) / "model"))

        return use


def _sample(model: Model, count_or_labels: Any, seed: int = 0) -> NDArray[np.uint8]:
    """Return images uint8 (N, C, H, W)."""
    pixels: NDArray[np.uint8] = model.sample(count_or_labels, seed=seed).images.numpy()
    return pixels


def _get_generator(model: Model) -> Any:
    return model.net.generator


def _generate(model: Model, codes: Tensor) -> Tensor:
    with torch.no_grad():
        images: Tensor = model.net(codes)
    return images


def parts_declared(subject: ModelSubject) -> None:
    """The net has a discriminator, and a generator that declares the length of its noise and its number of classes."""
    model = subject.create()
    for part in ("generator", "discriminator"):
        is_module = isinstance(getattr(model.net, part, None), torch.nn.Module)
        require(is_module, f"the net has no {part}", f"assign it to self.{part}")
    generator = _get_generator(model)
    for name in ("num_noise", "num_labels"):
        value = getattr(generator, name, None)
        require(isinstance(value, int), f"generator.{name} is {value!r}", f"set {name} to an integer in __init__")
    num = generator.num_labels
    require(num in (0, len(model.classes)), f"num_labels is {num} for {len(model.classes)} classes", "use `classes`")


def images_shaped(subject: ModelSubject) -> None:
    """Generated images have the model's size and channels and values in [-1, 1], and there are as many as requested."""
    model = subject.create()
    preprocessing = model.preprocessing
    for num in (1, 2, 7):
        shape = _sample(model, num).shape
        expected = (num, preprocessing.channels, *preprocessing.size)
        require(shape == expected, f"{num} images are {shape}, not {expected}", "return images (B, C, H, W)")
    largest = float(_generate(model, subject.make_net_input(16)).abs().max())
    require(largest <= 1, f"the largest absolute value of an image is {largest:.3g}", "end the generator in a tanh")


def scores_shaped(subject: ModelSubject) -> None:
    """The discriminator returns one score for each image."""
    model: Any = subject.create()
    for num in (1, 3):
        images = _generate(model, subject.make_net_input(num))
        labels = one_hot(torch.arange(num) % len(model.classes), model.net.generator)
        with torch.no_grad():
            shape = tuple(model.net.discriminator(images, labels).shape)
        require(shape == (num,), f"scores of {num} images are {shape}, not {(num,)}", "flatten the scores")


def any_number_of_classes_is_drawn(subject: ModelSubject) -> None:
    """The model can be built for 2 and for 37 classes, and generates the last of them."""
    check_has_option(subject, "classes: int = 10")
    for num in (2, 37):
        model = subject.create(classes=num)
        request: Any = [num - 1] if _get_generator(model).num_labels else 1
        require(len(_sample(model, request)) == 1, f"classes={num} does not work", "use `classes` in both parts")


def any_number_of_channels_is_drawn(subject: ModelSubject) -> None:
    """The model can be built for grey and for colour images."""
    check_has_option(subject, "channels: int = 1")
    for num in (1, 3):
        num_channels = _sample(subject.create(channels=num), 2).shape[1]
        problem = f"channels={num} gives {num_channels} channels"
        require(num_channels == num, problem, "use `channels` in the last layer")


def other_sizes_drawn_or_refused(subject: ModelSubject) -> None:
    """Any other image size works, or raises an error when the model is built."""
    model = subject.create()
    height, width = model.preprocessing.size
    for size in ((height, width + 4), (height + 3, width), (2 * height, 2 * width), (8, 8), (1, 1)):
        try:
            other = create(subject.name, seed=0, **{**model.config, "size": size})
        except ConfigError:  # a clear error before any image is generated
            continue
        actual = _sample(other, 2).shape[2:]
        require(
            actual == size, f"built for images of {size}, it generates {actual}", "raise a ConfigError for that size"
        )


def same_question_same_images(subject: ModelSubject) -> None:
    """Equal seeds give equal images, and another seed gives other images, whatever the global random state."""
    model = subject.create()
    with use_seed(1):
        first = _sample(model, 6)
    with use_seed(2):
        repeated = _sample(model, 6)
    require(np.array_equal(first, repeated), "the same call gave two results", "use no random numbers in forward")
    is_same = np.array_equal(first, _sample(model, 6, seed=1))
    require(not is_same, "two seeds give the same images", "let the image depend on the noise")


def alone_as_in_a_batch(subject: ModelSubject) -> None:
    """A code gives the same image alone as at any index of a batch."""
    model, codes = subject.create(), subject.make_net_input(6)
    together = _generate(model, codes)
    single = torch.cat([_generate(model, code[None]) for code in codes])
    backwards = _generate(model, codes.flip(0)).flip(0)
    gap = max(float((together - other).abs().max()) for other in (single, backwards))
    fix = "use no statistics of the batch in eval mode"
    require(gap <= 1e-4, f"an image differs by {gap:.2g} between batches", fix)


def finite_for_any_noise(subject: ModelSubject) -> None:
    """Noise of zero, and noise ten times too large, give finite images."""
    model, codes = subject.create(), subject.make_net_input(4)
    for scale in (0.0, 10.0):
        is_finite = bool(_generate(model, scale * codes).isfinite().all())
        require(is_finite, f"noise times {scale:g} gives images that are not finite", "do not divide by the noise")


def each_player_steps_alone(subject: ModelSubject) -> None:
    """Each of the two losses has gradients in one part only: the discriminator's loss, and the generator's."""
    model, images = subject.create(), subject.make_images(8)
    players = subject.make_task(model).players(model.net.train())
    for loss in subject.make_task(model).losses(players, Batch(images.images, images.labels)):
        model.net.zero_grad()
        loss.value.backward()
        reached = {name for name, net in players.items() if any(w.grad is not None for w in net.parameters())}
        fix = "share no weight between the two"
        require(reached == {loss.player}, f"the {loss.player}'s loss reaches {sorted(reached)}", fix)


def learns_to_draw(subject: ModelSubject) -> None:
    """Trained on dark and bright images, it generates dark images of one class and brighter ones of the other.

    Without classes it is trained on dark images alone.
    """
    model = subject.create()
    images = make_easy_images(model, 32)
    dark, bright = images[::2], images[1::2]
    is_conditional = bool(_get_generator(model).num_labels)
    target, initial = _mean_level(dark), _sample_brightness(model, 0)
    gap = (_mean_level(bright) - target) / 16 if is_conditional else float("-inf")
    recipe = shorten_recipe(model, 10).replace(lr=2e-3, ema=0.0, augment=())
    for _ in range(12):
        model.fit(images if is_conditional else dark, recipe=recipe, progress=False)
        levels = _sample_brightness(model, 0), _sample_brightness(model, 1)
        if abs(levels[0] - target) < abs(initial - target) / 2 and levels[1] - levels[0] > gap:
            return
    raise CheckFailure(
        f"after {len(model.history)} epochs on images with a mean of {target:.0f} and {_mean_level(bright):.0f} it "
        f"generates {levels[0]:.0f} and {levels[1]:.0f}; look for a detached tensor or a class that has no effect"
    )


def _mean_level(images: Images) -> float:
    return float(images.images.float().mean())


def _sample_brightness(model: Model, label: int) -> float:
    """Return the mean level of generated images, of one class if the model has classes."""
    request: Any = [label] * 16 if _get_generator(model).num_labels else 16
    return float(_sample(model, request).mean())


KIT = TaskKit(
    subject=GeneratorSubject,
    forward_checks=(
        parts_declared,
        images_shaped,
        scores_shaped,
        any_number_of_classes_is_drawn,
        any_number_of_channels_is_drawn,
        other_sizes_drawn_or_refused,
        same_question_same_images,
        alone_as_in_a_batch,
        finite_for_any_noise,
        each_player_steps_alone,
    ),
    training_checks=(learns_to_draw,),
)
