"""Test classifiers: input for them, checks of how they train, and the list of all that only they are checked for."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zoo.api import load
from zoo.model import Model
from zoo.seeding import make_generator
from zoo.testing.models import features, forward, symmetry
from zoo.testing.models.subject import ModelSubject, TaskKit
from zoo.testing.models.training import make_easy_images, shorten_recipe
from zoo.testing.report import CheckFailure, require

LEARNING_FIX = "two brightnesses are easy to distinguish: look for a detached tensor, a dead unit or a saturated output"
OVERFITTING_FIX = "look for outputs in another order, or for layers that differ between eval and training mode"


@dataclass(frozen=True, kw_only=True)
class ClassifierSubject(ModelSubject):
    """A classifier under test."""

    def make_net_input(self, num: int = 2) -> Tensor:
        """Return random images float32 (N, C, H, W) in [0, 1)."""
        preprocessing = self.create().preprocessing
        shape = (num, preprocessing.channels, *preprocessing.size)
        return torch.rand(*shape, generator=make_generator(num, "floats"))

    def compute_outputs(self, model: Model, num: int = 12) -> Tensor:
        """Return the logits of random images."""
        return model.logits(self.make_images(num))

    def prepare_use(self) -> Callable[[], object]:
        """Return a function that creates the model, predicts, saves and loads it."""
        images = self.make_images()

        def use() -> None:
            with tempfile.TemporaryDirectory() as folder:
                model = self.create()
                model.predict(images)
                load(model.save(Path(folder) / "model"))

        return use


def loss_falls(subject: ModelSubject) -> None:
    """Fifteen epochs on an easy data set lower the loss by at least 5 %."""
    model = subject.create()
    history = model.fit(make_easy_images(model, 64), recipe=shorten_recipe(model, 15), progress=False).history
    first, last = history[0]["loss"], history[-1]["loss"]
    require(last < 0.95 * first, f"the loss went from {first:.4f} to {last:.4f} in 15 epochs", LEARNING_FIX)


def overfits_32_images(subject: ModelSubject) -> None:
    """Trained on 32 images, the model classifies all of them correctly in eval mode."""
    model = subject.create()
    images = make_easy_images(model, 32)
    for _ in range(16):  # 320 steps, so that running statistics with momentum 0.01 have converged
        model.fit(images, recipe=shorten_recipe(model, 10), progress=False)
        correct = int((model.logits(images).argmax(1) == images.labels).sum())
        if correct == 32:
            return
    problem = f"after {len(model.history)} epochs it classifies {correct} of its 32 training images correctly"
    raise CheckFailure(f"{problem}; {OVERFITTING_FIX}")


KIT = TaskKit(
    subject=ClassifierSubject,
    forward_checks=(
        forward.logits_shaped,
        forward.logits_not_probabilities,
        forward.any_number_of_classes,
        forward.any_number_of_channels,
        forward.wrong_channels_refused,
        forward.sizes_work_or_are_refused,
        forward.order_kept,
        forward.batch_of_one_equals_batch_of_many,
        forward.eval_mode_deterministic,
        forward.finite_on_any_image,
        forward.images_untouched,
        forward.any_memory_layout,
        features.features_before_deciding,
        symmetry.declared_symmetry_holds,
    ),
    training_checks=(loss_falls, overfits_32_images),
)
