"""Generation: two players, one draws images and the other tells them from real ones."""

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
    """Learn to draw images like those of a set (Goodfellow et al. 2014).

    The net has two parts. `net.generator(codes)` draws normalised images (B, C, H, W) from codes (B, Z + K): Z normal
    numbers, and the class as one of K (none where K is 0). It says so in `num_noise`, Z, and `num_labels`, K.
    `net.discriminator(images, labels)` scores normalised images and labels (B, K): (B), above 0 for what it takes for
    real. `net(codes)` is the generator's answer.

    Each batch the discriminator is stepped first, and then the generator against the stepped one, on the same drawn
    images.

    Args:
        preprocessing: Size and range of the images; the generator draws in this range.
        objective: `classic`: cross-entropy, and for the generator its non-saturating form (Goodfellow et al. 2014,
            section 3); `hinge` (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17).
        label_smoothing: What the discriminator's target for real images lacks to 1 (Salimans et al. 2016, section 3.4);
            for `classic`.
        augment: Changes made to real and drawn images alike, so that the generator does not learn them (Zhao et al.
            2020, Differentiable augmentation).
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
        """Return the two players, in the order they are stepped."""
        return {"discriminator": net.discriminator, "generator": net.generator}

    def losses(self, nets: Mapping[str, Module], batch: Batch) -> Iterator[Loss]:
        """Yield the discriminator's loss, and once it has stepped the generator's."""
        generator, discriminator = nets["generator"], nets["discriminator"]
        labels = one_hot(batch.targets, generator)
        num = len(labels)
        drawn = generator(make_codes(labels, generator))
        on_real = discriminator(self._apply_augment(self._normalize(batch.images)), labels).float()
        on_drawn = discriminator(
            self._apply_augment(drawn.detach()), labels
        ).float()  # apart: each with its own batch statistics
        loss = self._discriminator_loss(on_real, on_drawn)
        shown: Tally = {"discriminator_loss": (loss.detach() * num, num), "real_as_real": ((on_real > 0).sum(), num)}
        yield Loss("discriminator", loss, shown)
        with freeze(unwrap(discriminator)) as judge:
            on_drawn = judge(self._apply_augment(drawn), labels).float()
            loss = -on_drawn.mean() if self._is_hinge else F.softplus(-on_drawn).mean()
            shown = {"generator_loss": (loss.detach() * num, num), "drawn_as_real": ((on_drawn > 0).sum(), num)}
            yield Loss("generator", loss, shown)

    def _discriminator_loss(self, on_real: Tensor, on_drawn: Tensor) -> Tensor:
        """Return the discriminator's loss for its scores (B) of real and of drawn images."""
        if self._is_hinge:
            return F.relu(1 - on_real).mean() + F.relu(1 + on_drawn).mean()
        target = torch.full_like(on_real, self._real_target)
        return F.binary_cross_entropy_with_logits(on_real, target) + F.softplus(on_drawn).mean()

    def _apply_augment(self, images: Tensor) -> Tensor:
        """Return normalised images, each changed at random where the recipe augments."""
        if self._augment is None:
            return images
        draws = torch.Generator(images.device).manual_seed(int(torch.randint(2**62, ())))
        levels, _ = self._augment(self._denormalize(images), images.new_zeros(0), draws)
        return self._normalize(levels)

    def predict(self, nets: Mapping[str, Module], images: Tensor) -> Tensor:
        """Return images float32 (B, C, H, W) in [0, 1] for codes (B, Z + K)."""
        generator = nets["generator"]
        drawn = generator(images.to(next(generator.parameters()).dtype))
        return self._denormalize(drawn.float())

    @torch.no_grad()
    def tally(self, nets: Mapping[str, Module], batch: Batch) -> Tally:
        """Return how many held-out images the discriminator takes for real: fewer than in training if it overfits."""
        labels = one_hot(batch.targets, nets["generator"])
        scores = nets["discriminator"](self._normalize(batch.images), labels)
        return {"real_as_real": ((scores > 0).sum(), len(labels))}


def build_generation(recipe: Recipe, preprocessing: Preprocessing) -> Generation:
    """Return the task as a recipe has it learnt.

    Raises:
        ConfigError: The recipe asks for what only a classifier can do.
    """
    for name in ("mixup", "cutmix", "class_weights"):
        if getattr(recipe, name):
            raise ConfigError(f"{name} is for classifiers; a generator learns from whole images, so leave it out")
    return Generation(
        preprocessing,
        objective=recipe.objective,
        label_smoothing=recipe.label_smoothing,
        augment=Augment(recipe.augment) if recipe.augment else None,
    )


def unwrap(player: Module) -> Any:
    """Return a player as its author made it, without what several processes wrap it in."""
    return getattr(player, "module", player)


def one_hot(labels: Tensor, generator: Module) -> Tensor:
    """Return class indices (B) as a generator takes them: (B, K), with K of 0 where it knows no classes."""
    kind, num = next(generator.parameters()), unwrap(generator).num_labels
    if num == 0:
        return torch.zeros(len(labels), 0, dtype=kind.dtype, device=kind.device)
    return F.one_hot(labels.to(kind.device), num).to(kind.dtype)


def make_codes(labels: Tensor, generator: Module, rng: torch.Generator | None = None) -> Tensor:
    """Return codes (B, Z + K) for labels (B, K); the noise comes from `rng`, on the CPU, or the global state."""
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
    """Let gradients pass through a net and reach none of its weights."""
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield net
    finally:
        for weight in weights:
            weight.requires_grad_(True)
