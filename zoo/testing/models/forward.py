"""Checks of how a model runs: shapes, order, modes."""

from __future__ import annotations

import torch

from zoo.errors import join_names
from zoo.seeding import use_seed
from zoo.testing.models.subject import CheckFailure, ModelSubject, copy_weights, is_equal, require


def logits_shaped(subject: ModelSubject) -> None:
    """Logits are (N, K), for batches of any size."""
    model = subject.make()
    for num in (1, 2, 7):
        logits = model.logits(subject.make_images(num))
        expected = (num, len(model.classes))
        require(
            tuple(logits.shape) == expected,
            f"logits are {tuple(logits.shape)} for {num} images, expected {expected}; return one row an image",
        )


def check_has_option(subject: ModelSubject, parameter: str) -> None:
    """Raise unless the builder takes a parameter, such as `classes: int = 10`."""
    name = parameter.partition(":")[0]
    taken = subject.make().config
    mend = f"give it the parameter `{parameter}` and use it"
    require(name in taken, f"its builder takes {join_names(taken)}, and no {name!r}", mend)


def any_number_of_classes(subject: ModelSubject) -> None:
    """The model can be made for 2 and for 37 classes."""
    check_has_option(subject, "classes: int = 10")
    for num in (2, 37):
        model = subject.make(classes=num)
        found = model.logits(subject.make_images(2)).shape[1]
        require(found == num, f"classes={num} gives {found} logits", "use `classes` in the last layer")


def any_number_of_channels(subject: ModelSubject) -> None:
    """The model can be made for grey and for colour images."""
    check_has_option(subject, "channels: int = 1")
    for num in (1, 3):
        model = subject.make(channels=num)
        pixels = torch.zeros(2, num, *model.preprocessing.size, dtype=torch.uint8)
        require(len(model.predict(pixels)) == 2, f"channels={num} does not predict; use `channels`")


def wrong_channels_refused(subject: ModelSubject) -> None:
    """The net itself refuses images of another number of channels: it passes over none."""
    model = subject.make()
    wants = model.preprocessing
    try:
        with torch.no_grad():
            model.net(torch.zeros(2, wants.channels + 4, *wants.size))
    except Exception:  # whatever the net's layers raise
        return
    mend = "let `channels` be what its first layer takes, and neither slice channels nor average over them"
    raise CheckFailure(f"the net is for {wants.channels} channels and took images with four more; {mend}")


def batch_of_one_equals_batch_of_many(subject: ModelSubject) -> None:
    """An image gets the same logits alone as in a batch: no statistics of the batch in eval mode."""
    model, images = subject.make(), subject.make_images(8)
    whole = model.logits(images)
    single = torch.cat([model.logits(images[k]) for k in range(len(images))])
    gap = float((whole - single).abs().max())
    require(
        gap <= 1e-4 * max(1.0, float(whole.abs().max())),
        f"logits differ by {gap:.2g} between a batch and single images; use no statistics of the batch in eval mode",
    )


def order_kept(subject: ModelSubject) -> None:
    """Answers come in the order of the images."""
    model, images = subject.make(), subject.make_images(9)
    backwards = model.logits(images.images.flip(0)).flip(0)
    gap = float((model.logits(images) - backwards).abs().max())
    require(gap <= 1e-4, f"logits of reversed images differ by {gap:.2g}; answers must follow the order of images")


def eval_mode_deterministic(subject: ModelSubject) -> None:
    """Predicting twice gives the same, and leaves every module in the mode it was in."""
    model, images = subject.make(), subject.make_images()
    require(
        not any(module.training for module in model.net.modules()),
        "a fresh model is not in eval mode; do not override train()",
    )
    model.net.train()
    weights = copy_weights(model)
    answers = []
    for seed in (1, 2):
        with use_seed(seed):
            answers.append(model.logits(images))
    require(torch.equal(*answers), "two predictions of the same images differ; forward draws numbers in eval mode")
    require(
        all(module.training for module in model.net.modules()),
        "predict changed the mode of a module; set no mode in forward",
    )
    require(is_equal(weights, copy_weights(model)), "predict changed a weight or buffer; write none in eval mode")


def logits_not_probabilities(subject: ModelSubject) -> None:
    """The net returns logits: the loss applies the softmax, and a second one would slow learning."""
    logits = subject.make().logits(subject.make_images(12))
    sums = logits.sum(1)
    is_share = bool((logits >= 0).all()) and bool(torch.allclose(sums, torch.ones_like(sums), atol=1e-4))
    require(not is_share, "every row sums to 1, as probabilities do", "return logits, without a softmax")


def finite_on_any_image(subject: ModelSubject) -> None:
    """Black, white and one-coloured images give finite logits."""
    model = subject.make()
    wants = model.preprocessing
    for level in (0, 128, 255):
        pixels = torch.full((2, wants.channels, *wants.size), level, dtype=torch.uint8)
        is_finite = bool(model.logits(pixels).isfinite().all())
        require(
            is_finite, f"images of level {level} give logits that are not finite", "divide by nothing that can be 0"
        )


def images_untouched(subject: ModelSubject) -> None:
    """Forward writes nothing into the images it is given."""
    net, images = subject.make().net, subject.make_net_input(4)
    given = images.clone()
    with torch.no_grad():
        net(images)
    require(torch.equal(images, given), "forward changed the images", "use no in-place operation on its argument")


def any_memory_layout(subject: ModelSubject) -> None:
    """Images that lie otherwise in memory, as slices and transposed ones do, give the same logits."""
    net, images = subject.make().net, subject.make_net_input(4)
    with torch.no_grad():
        plain = net(images)
        for layout in (images.mT.contiguous().mT, images.to(memory_format=torch.channels_last)):
            gap = float((net(layout) - plain).abs().max())
            mend = "use reshape or flatten where the layout may vary, not view"
            require(gap <= 1e-4 * max(1.0, float(plain.abs().max())), f"logits differ by {gap:.2g}", mend)
