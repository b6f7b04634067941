"""Check the outputs of a classifier: shapes, order, modes. Each docstring is the claim that the check tests."""

from __future__ import annotations

import torch

from zoo.api import create
from zoo.errors import ConfigError, join_names
from zoo.factory.build import Config
from zoo.seeding import use_seed
from zoo.testing.models.subject import ModelSubject
from zoo.testing.report import CheckFailure, require
from zoo.testing.state import copy_state, is_equal

TOLERANCE = 1e-4
"""Largest difference of logits that should be equal, as a share of the largest logit (at least 1)."""


def logits_shaped(subject: ModelSubject) -> None:
    """Logits are (N, K), for any batch size."""
    model = subject.create()
    for num in (1, 2, 7):
        shape, expected = tuple(model.logits(subject.make_images(num)).shape), (num, len(model.classes))
        require(
            shape == expected, f"logits are {shape} for {num} images, not {expected}", "return a row for each image"
        )


def check_has_option(subject: ModelSubject, parameter: str) -> None:
    """Check that the builder has a parameter, such as `classes: int = 10`."""
    name = parameter.partition(":")[0]
    options = subject.create().config
    fix = f"add the parameter `{parameter}` and use it"
    require(name in options, f"its builder takes {join_names(options)}, and no {name!r}", fix)


def any_number_of_classes(subject: ModelSubject) -> None:
    """The model can be built for 2 and for 37 classes."""
    check_has_option(subject, "classes: int = 10")
    for num in (2, 37):
        model = subject.create(classes=num)
        num_logits = model.logits(subject.make_images(2)).shape[1]
        require(num_logits == num, f"classes={num} gives {num_logits} logits", "use `classes` in the last layer")


def any_number_of_channels(subject: ModelSubject) -> None:
    """The model can be built for grey and for colour images."""
    check_has_option(subject, "channels: int = 1")
    for num in (1, 3):
        model = subject.create(channels=num)
        pixels = torch.zeros(2, num, *model.preprocessing.size, dtype=torch.uint8)
        require(
            len(model.predict(pixels)) == 2, f"channels={num} does not predict", "use `channels` in the first layer"
        )


def wrong_channels_refused(subject: ModelSubject) -> None:
    """The net raises an error for images with another number of channels."""
    model = subject.create()
    preprocessing = model.preprocessing
    try:
        with torch.no_grad():
            model.net(torch.zeros(2, preprocessing.channels + 4, *preprocessing.size))
    except Exception:  # any exception of the net's layers
        return
    fix = "let the first layer take `channels`, and neither slice channels nor average over them"
    raise CheckFailure(f"the net is for {preprocessing.channels} channels and accepted four more; {fix}")


def sizes_work_or_are_refused(subject: ModelSubject) -> None:
    """The declared image size works, and any other size works or raises an error when the model is built."""
    model = subject.create()
    height, width = model.preprocessing.size
    _check_logits_shape(subject, (height, width), model.config)
    if "size" not in model.config:
        return
    for size in ((height, width + 3), (height + 4, width), (2 * height, 2 * width), (max(1, height // 2), 5), (1, 1)):
        try:
            config = subject.create(size=size).config
        except ConfigError:  # a clear error before any image is used
            continue
        _check_logits_shape(subject, size, config)


def _check_logits_shape(subject: ModelSubject, size: tuple[int, int], config: Config) -> None:
    model = create(subject.name, seed=0, **config)
    images = torch.zeros(2, model.preprocessing.channels, *size)
    try:
        with torch.no_grad():
            shape = tuple(model.net(images).shape)
    except Exception as error:
        problem = f"built for images of {size}, it fails on them: {type(error).__name__}: {error}"
        raise CheckFailure(f"{problem}; raise a ConfigError in the builder for sizes it cannot take") from error
    expected = (2, len(model.classes))
    require(shape == expected, f"2 images of {size} give {shape}, not {expected}", "return a row for each image")


def batch_of_one_equals_batch_of_many(subject: ModelSubject) -> None:
    """An image gets the same logits alone as in a batch."""
    model, images = subject.create(), subject.make_images(8)
    together = model.logits(images)
    single = torch.cat([model.logits(images[k]) for k in range(len(images))])
    gap = float((together - single).abs().max())
    fix = "use no statistics of the batch in eval mode"
    require(
        gap <= TOLERANCE * max(1.0, float(together.abs().max())),
        f"logits differ by {gap:.2g} between a batch and single images",
        fix,
    )


def order_kept(subject: ModelSubject) -> None:
    """Logits are in the order of the images."""
    model, images = subject.create(), subject.make_images(9)
    backwards = model.logits(images.images.flip(0)).flip(0)
    gap = float((model.logits(images) - backwards).abs().max())
    require(gap <= TOLERANCE, f"logits of reversed images differ by {gap:.2g}", "keep the order of the batch")


def eval_mode_deterministic(subject: ModelSubject) -> None:
    """Two predictions are equal, and change neither weights nor the training mode of any module."""
    model, images = subject.create(), subject.make_images()
    modules = list(model.net.modules())
    require(not any(each.training for each in modules), "a new model is not in eval mode", "do not override train()")
    model.net.train()
    weights = copy_state(model.net)
    outputs = []
    for seed in (1, 2):
        with use_seed(seed):
            outputs.append(model.logits(images))
    require(torch.equal(*outputs), "two predictions of the same images differ", "use no random numbers in eval mode")
    is_training = all(each.training for each in modules)
    require(is_training, "predict changed the training mode of a module", "do not call train() or eval() in forward")
    is_same = is_equal(weights, copy_state(model.net))
    require(is_same, "predict changed a weight or buffer", "update weights and buffers in training mode only")


def logits_not_probabilities(subject: ModelSubject) -> None:
    """The net returns logits: the loss applies the softmax, and a second softmax slows training."""
    logits = subject.create().logits(subject.make_images(12))
    sums = logits.sum(1)
    is_probability = bool((logits >= 0).all()) and bool(torch.allclose(sums, torch.ones_like(sums), atol=1e-4))
    require(not is_probability, "every row sums to 1, as probabilities do", "return logits, without a softmax")


def finite_on_any_image(subject: ModelSubject) -> None:
    """Black, white and grey images give finite logits."""
    model = subject.create()
    preprocessing = model.preprocessing
    for level in (0, 128, 255):
        pixels = torch.full((2, preprocessing.channels, *preprocessing.size), level, dtype=torch.uint8)
        is_finite = bool(model.logits(pixels).isfinite().all())
        require(is_finite, f"images of level {level} give logits that are not finite", "do not divide by zero")


def images_untouched(subject: ModelSubject) -> None:
    """Forward does not change its input."""
    net, images = subject.build_net(), subject.make_net_input(4)
    before = images.clone()
    with torch.no_grad():
        net(images)
    require(torch.equal(images, before), "forward changed the images", "use no in-place operation on its argument")


def any_memory_layout(subject: ModelSubject) -> None:
    """Images with another memory layout, such as slices and channels-last tensors, give the same logits."""
    net, images = subject.build_net(), subject.make_net_input(4)
    fix = "use reshape or flatten where the layout may vary, not view"
    with torch.no_grad():
        expected = net(images)
        for layout in (images.mT.contiguous().mT, images.to(memory_format=torch.channels_last)):
            gap = float((net(layout) - expected).abs().max())
            require(gap <= TOLERANCE * max(1.0, float(expected.abs().max())), f"logits differ by {gap:.2g}", fix)
