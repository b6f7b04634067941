"""A small correct model, and models with one fault each, as found in plugins of new users."""

import enum
import os
import threading

import torch
from torch import nn

from zoo.recipe import Recipe


class Sound(nn.Module):
    """A correct linear classifier of the pixels, the base of the others."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.layer = nn.Linear(channels * size[0] * size[1], classes)

    def forward(self, images):
        return self.layer(images.flatten(1))


# Construction


class Unseeded(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        nn.init.constant_(self.layer.weight, 0.01)
        nn.init.constant_(self.layer.bias, 0.0)


class Entropic(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        draw = torch.Generator().manual_seed(int.from_bytes(os.urandom(7), "big"))
        nn.init.normal_(self.layer.weight, generator=draw)


class Reseeding(Sound):
    def state_dict(self, *arguments, **options):
        torch.manual_seed(0)
        return super().state_dict(*arguments, **options)


class Doubling(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        torch.set_default_dtype(torch.float64)
        super().__init__(size, channels, classes)


class Ungrateful(Sound):
    def forward(self, images):
        logits = super().forward(images)
        torch.set_grad_enabled(False)
        return logits


SHARED = nn.Linear(49, 10)


class Aliased(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        if (channels, classes, *size) == (1, 10, 7, 7):
            self.layer.bias = SHARED.bias


class Locked(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.lock = threading.Lock()


class FromEnvironment(Sound):
    """Its width is not in its config: the default is not stored."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        width = int(os.environ.get("FAULTY_WIDTH", "8"))
        self.layer = nn.Sequential(nn.Linear(channels * size[0] * size[1], width), nn.Linear(width, classes))


# Declaration


class Loose(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10, **options: int):
        super().__init__(size, channels, classes)


class Mode(enum.StrEnum):
    PLAIN = "plain"


class Fancy(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10, mode: Mode = Mode.PLAIN):
        super().__init__(size, channels, classes)


class Growing(Sound):
    """Its hook changes the config each time."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10, hidden: int = 8):
        super().__init__(size, channels, classes)
        self.layer = nn.Sequential(nn.Linear(channels * size[0] * size[1], hidden), nn.Linear(hidden, classes))

    @staticmethod
    def complete_config(config):
        return {**config, "hidden": config["hidden"] + 1}


class FixedSize(nn.Module):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.layer = nn.Linear(channels * 49, classes)

    def forward(self, images):
        return self.layer(images.flatten(1))


# Forward


class Batchwise(Sound):
    def forward(self, images):
        return super().forward(images - images.mean(0, keepdim=True))


class AlwaysTraining(Sound):
    """Its batch norm is left in train mode."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.norm = nn.BatchNorm2d(channels)

    def train(self, mode=True):
        super().train(mode)
        self.norm.train()
        return self

    def forward(self, images):
        return super().forward(self.norm(images))


class TenOnly(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, 10)


class GreyOnly(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, 1, classes)


class RedOnly(Sound):
    """It accepts any number of channels, and uses the first."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, 1, classes)

    def forward(self, images):
        return super().forward(images[:, :1])


class Flat(Sound):
    def forward(self, images):
        return super().forward(images).flatten()


class Shuffled(Sound):
    def forward(self, images):
        return super().forward(images).roll(1, 0)


class Noisy(Sound):
    def forward(self, images):
        return super().forward(images) + torch.randn(1) * 0.01


class Drifting(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, images):
        self.calls += 1
        return super().forward(images)


class Softmaxed(Sound):
    """The loss applies a second softmax."""

    def forward(self, images):
        return super().forward(images).softmax(1)


class Standardizing(Sound):
    def forward(self, images):
        return super().forward(images / images.std((1, 2, 3), keepdim=True))


class InPlace(Sound):
    def forward(self, images):
        return super().forward(images.sub_(0.5))


class Viewing(Sound):
    def forward(self, images):
        return self.layer(images.view(len(images), -1))


# Training


class Forgotten(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.spare = nn.Parameter(torch.ones(3))


class Detached(Sound):
    def forward(self, images):
        return super().forward(images).detach() + 0 * self.layer.weight.sum() + 0 * self.layer.bias.sum()


class OffByOne(Sound):
    """In eval mode, class k is predicted as class k + 1."""

    def forward(self, images):
        logits = super().forward(images)
        return logits if self.training else logits.roll(1, 1)


class Restless(Sound):
    """Its dropout uses a generator of its own."""

    def forward(self, images):
        if self.training:
            draw = torch.Generator().manual_seed(int.from_bytes(os.urandom(7), "big"))
            images = images * torch.empty_like(images).bernoulli_(0.9, generator=draw)
        return super().forward(images)


# Persistence


class Hidden(Sound):
    """Its random scale is not a tensor, and so is not stored."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.scale = 1.0 + float(torch.rand(()))

    def forward(self, images):
        return super().forward(images) * self.scale


class Lenient(Sound):
    def load_state_dict(self, state_dict, strict=True, assign=False):
        return super().load_state_dict(state_dict, strict=False, assign=assign)


class Rounding(Sound):
    def _load_from_state_dict(self, state_dict, prefix, *others):
        super()._load_from_state_dict(state_dict, prefix, *others)
        if self.layer.weight.dtype == torch.float64:
            self.layer.register_load_state_dict_post_hook(lambda layer, _: layer.weight.data.mul_(1.5))


class Cooling(Sound):
    """Its output depends on a count of steps that is not stored."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.steps = 0

    def forward(self, images):
        self.steps += self.training
        return super().forward(images) * (1 + self.steps)


class FullPrecision(Sound):
    def forward(self, images):
        square = torch.eye(3, dtype=images.dtype, device=images.device)
        return super().forward(images) * torch.linalg.det(square)


class Aside(Sound):
    def forward(self, images):
        return super().forward(images + torch.zeros(1, dtype=torch.float32)).float()


class OnCpu(Sound):
    def forward(self, images):
        return super().forward(images + torch.zeros(1, dtype=images.dtype))


class LeftBehind(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.weights = [torch.ones(classes)]

    def forward(self, images):
        return super().forward(images) * self.weights[0].to(images.dtype)


class Branching(Sound):
    def forward(self, images):
        return super().forward(images if float(images.sum()) > 0 else -images)


class WithFeatures(Sound):
    """It defines its features correctly."""

    def forward(self, images):
        return self.forward_head(self.forward_features(images))

    def forward_features(self, images):
        return images.flatten(1)

    def forward_head(self, features, pre_logits=False):
        return features if pre_logits else self.layer(features)


class Deciding(WithFeatures):
    def forward_head(self, features, pre_logits=False):
        return self.layer(features)


class Mingling(WithFeatures):
    def forward_features(self, images):
        return images.flatten(1) - images.flatten(1).mean(0)


class Straying(WithFeatures):
    def forward(self, images):
        return 2 * super().forward(images)


class Nested(WithFeatures):
    def forward_head(self, features, pre_logits=False):
        return features[:, None] if pre_logits else self.layer(features)


class Pooled(nn.Module):
    """A correct classifier of the mean level, with the same logits for a rotated or mirrored image."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.layer = nn.Linear(channels, classes)

    def forward(self, images):
        return self.layer(images.mean((2, 3)))


class Leaning(Pooled):
    """The top row has a slightly larger weight."""

    def forward(self, images):
        return super().forward(images) + 1e-3 * self.layer(images[:, :, 0].mean(2))


class Placed(Pooled):
    """It has a weight for each pixel, initially zero."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.position = nn.Parameter(torch.zeros(size))

    def forward(self, images):
        return super().forward(images * (1 + self.position))


FAULTS = {
    Unseeded: "same_seed_same_weights",
    Entropic: "same_seed_same_weights",
    Reseeding: "random_state_untouched",
    Doubling: "settings_untouched",
    Ungrateful: "settings_untouched",
    Aliased: "weights_not_shared",
    Locked: "copies_stand_alone",
    FromEnvironment: "rebuilt_in_a_fresh_process",
    Loose: "unknown_option_refused",
    Growing: "config_is_complete",
    Fancy: "config_survives_json",
    FixedSize: "sizes_work_or_are_refused",
    Batchwise: "batch_of_one_equals_batch_of_many",
    AlwaysTraining: "batch_of_one_equals_batch_of_many",
    TenOnly: "any_number_of_classes",
    GreyOnly: "any_number_of_channels",
    RedOnly: "wrong_channels_refused",
    Flat: "logits_shaped",
    Shuffled: "order_kept",
    Noisy: "eval_mode_deterministic",
    Drifting: "eval_mode_deterministic",
    Softmaxed: "logits_not_probabilities",
    Standardizing: "finite_on_any_image",
    InPlace: "images_untouched",
    Viewing: "any_memory_layout",
    Deciding: "features_before_deciding",
    Mingling: "features_before_deciding",
    Straying: "features_before_deciding",
    Nested: "features_before_deciding",
    Forgotten: "gradients_reach_every_weight",
    Detached: "loss_falls",
    OffByOne: "overfits_32_images",
    Restless: "fits_are_repeatable",
    Hidden: "state_is_whole",
    Lenient: "strict_loading",
    Cooling: "saved_and_loaded_bitwise",
    FullPrecision: "saved_in_other_number_types",
    Aside: "follows_device_and_dtype",
    OnCpu: "follows_device_and_dtype",
    LeftBehind: "follows_device_and_dtype",
    Branching: "exports",
}
"""The check that must catch each faulty net."""

WRONG_SPECS = {
    "described": {"summary": "two\nlines"},
    "paper_named": {"paper": " "},
    "name_tells_the_size": {"name": "subject-8x8"},
    "parameters_counted": {"parameters": 7},
    "declared_options_exist": {"config": {"widht": 3}},
    "declared_symmetry_holds": {"symmetry": "D4"},
    "recipes_train": {"recipes": {"odd": Recipe(class_weights=(1.0, 2.0, 3.0))}},
}
"""Changes of a correct model's spec that make it wrong, by the check that must catch each."""

LOPSIDED = (Leaning, Placed)
"""Nets that do not have the symmetry that their specs declare."""
