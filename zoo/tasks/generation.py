"""Generation: two players, a generator that makes images and a discriminator that distinguishes them from real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module

from zoo.data import Augment, Batch
from zoo.data.transforms import Denormalize, Normalize
from zoo.errors import ConfigError
from zoo.recipe import Recipe
from zoo.signature import Preprocessing
from zoo.tasks.base import Loss, Tally


class Generation:
    """Learn to generate images like those of a data set (Goodfellow et al. 2014).

    The net has two parts. `net.generator(codes)` returns normalised images (B, C, H, W) for codes (B, Z + K): Z normal
    numbers, and the class as one-hot vector of length K (0 if the net has no classes). Its attributes `num_noise` and
    `num_labels` are Z and K. `net.discriminator(images, labels)` returns scores (B) for normalised images and one-hot
    labels (B, K): above 0 for images that it takes for real. `net(codes)` is the output of the generator.

    For each batch the discriminator is stepped first. Then the generator is stepped against the updated discriminator,
    on the same generated images.

    Args:
        preprocessing: Size and range of the images; the generator's images are in this range.
        objective: `classic`: cross-entropy, with the non-saturating form for the generator (Goodfellow et al. 2014,
            section 3); `hinge` (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17).
        label_smoothing: 1 minus the discriminator's target for real images (Salimans et al. 2016, section 3.4); for
            `classic`.
        augment: Random changes of real and generated images alike, so that the generator does not learn them (Zhao et
            al. 2020, Differentiable augmentation).
    """

    def __init__(
        self,
        preprocessing: Preprocessing,
        *,
        objective: str = "classic",
        label_smoothing: float = 0.0,
        augment: Augment | None = None,
    ) -> None:
        self._normalize, self._denormalize = Normalize(preprocessing), Denormalize(preprocessing)
        self._is_hinge = objective == "hinge"
        self._real_target = 1.0 - label_smoothing
        self._augment = augment

    def players(self, net: Module) -> dict[str, Any]:
        """Return the two players, in the order of their steps."""
        return {"discriminator": net.discriminator, "generator": net.generator}

    def losses(self, nets: Mapping[str, Module], batch: Batch) -> Iterator[Loss]:
        """Yield the discriminator's loss, and after its step the generator's."""
        generator, discriminator = nets["generator"], nets["discriminator"]
        labels = one_hot(batch.targets, generator)
        num = len(labels)
        samples = generator(make_codes(labels, generator))
        real_scores = discriminator(self._apply_augment(self._normalize(batch.images)), labels).float()
        # a call of its own, so that real and generated images have their own batch statistics
        fake_scores = discriminator(self._apply_augment(samples.detach()), labels).float()
        loss = self._discriminator_loss(real_scores, fake_scores)
        tally: Tally = {
            "discriminator_loss": (loss.detach() * num, num),
            "real_as_real": ((real_scores > 0).sum(), num),
        }
        yield Loss("discriminator", loss, tally)
        with freeze(unwrap(discriminator)) as frozen_discriminator:
            fake_scores = frozen_discriminator(self._apply_augment(samples), labels).float()
            loss = -fake_scores.mean() if self._is_hinge else F.softplus(-fake_scores).mean()
            tally = {"generator_loss": (loss.detach() * num, num), "drawn_as_real": ((fake_scores > 0).sum(), num)}
            yield Loss("generator", loss, tally)

    def _discriminator_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """Return the discriminator's loss for its scores (B) of real and of generated images."""
        if self._is_hinge:
            return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()
        target = torch.full_like(real_scores, self._real_target)
        return F.binary_cross_entropy_with_logits(real_scores, target) + F.softplus(fake_scores).mean()

    def _apply_augment(self, images: Tensor) -> Tensor:
        """Return normalised images, each changed at random if the recipe augments."""
        if self._augment is None:
            return images
        rng = torch.Generator(images.device).manual_seed(int(torch.randint(2**62, ())))
        levels, _ = self._augment(self._denormalize(images), images.new_zeros(0), rng)
        return self._normalize(levels)

    def predict(self, nets: Mapping[str, Module], images: Tensor) -> Tensor:
        """Return images float32 (B, C, H, W) in [0, 1] for codes (B, Z + K)."""
        generator = nets["generator"]
        samples = generator(images.to(next(generator.parameters()).dtype))
        return self._denormalize(samples.float())

    @torch.no_grad()
    def tally(self, nets: Mapping[str, Module], batch: Batch) -> Tally:
        """Count the validation images that the discriminator takes for real: fewer than in training if it overfits."""
        labels = one_hot(batch.targets, nets["generator"])
        scores = nets["discriminator"](self._normalize(batch.images), labels)
        return {"real_as_real": ((scores > 0).sum(), len(labels))}


def build_generation(recipe: Recipe, preprocessing: Preprocessing) -> Generation:
    """Return the task with the objective and augmentation that a recipe sets.

    Raises:
        ConfigError: The recipe has a setting that only a classifier supports.
    """
    for name in ("mixup", "cutmix", "class_weights"):
        if getattr(recipe, name):
            raise ConfigError(f"{name} is for classifiers; leave it out to train a generator")
    return Generation(
        preprocessing,
        objective=recipe.objective,
        label_smoothing=recipe.label_smoothing,
        augment=Augment(recipe.augment) if recipe.augment else None,
    )


def unwrap(player: Module) -> Any:
    """Return the module inside the wrapper that training with several processes puts around a player."""
    return getattr(player, "module", player)


def one_hot(labels: Tensor, generator: Module) -> Tensor:
    """Return class indices (B) as one-hot vectors (B, K) in the generator's dtype; K is 0 if it has no classes."""
    weight, num = next(generator.parameters()), unwrap(generator).num_labels
    if num == 0:
        return torch.zeros(len(labels), 0, dtype=weight.dtype, device=weight.device)
    return F.one_hot(labels.to(weight.device), num).to(weight.dtype)


def make_codes(labels: Tensor, generator: Module, rng: torch.Generator | None = None) -> Tensor:
    """Return codes (B, Z + K) for one-hot labels (B, K); `rng`, on the CPU, or the global state gives the noise."""
    noise = torch.randn(
        len(labels),
        unwrap(generator).num_noise,
        generator=rng,
        dtype=labels.dtype,
        device=labels.device if rng is None else rng.device,
    )
    return torch.cat([noise.to(labels.device), labels], 1)


@contextmanager
def freeze(net: Module) -> Iterator[Module]:
    """Let gradients pass through a net during the block without accumulating in its weights."""
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield net
    finally:
        for weight in weights:
            weight.requires_grad_(True)
