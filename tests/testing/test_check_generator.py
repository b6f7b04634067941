"""A small generator passes the kit, and each fault that only a generator can have is caught by name."""

import pytest
import torch
from torch import nn

import zoo
from tests.support.fake_plugin import offer
from zoo.recipe import Recipe
from zoo.testing import CHECKS_BY_TASK, CheckFailure, check_model

CLASSIFIER_CHECKS = CHECKS_BY_TASK["classification"]
GENERATOR_CHECKS = CHECKS_BY_TASK["generation"]

NOISE = 8


class Drawer(nn.Module):
    """A hidden layer from codes (B, Z + K) to images."""

    def __init__(self, size, channels, num_labels):
        super().__init__()
        self.num_noise, self.num_labels, self.shape = NOISE, num_labels, (channels, *size)
        num_pixels = channels * size[0] * size[1]
        self.layer = nn.Sequential(nn.Linear(NOISE + num_labels, 32), nn.ReLU(), nn.Linear(32, num_pixels))

    def forward(self, codes):
        return self.layer(codes).tanh().unflatten(1, self.shape)


class Judge(nn.Module):
    """A hidden layer with dropout from images to features, and scores by the features' product with the class."""

    def __init__(self, size, channels, num_labels):
        super().__init__()
        num_pixels = channels * size[0] * size[1]
        self.features = nn.Sequential(nn.Linear(num_pixels, 64), nn.LeakyReLU(0.2), nn.Dropout(0.3))
        self.linear, self.embedding = nn.Linear(64, 1), nn.Linear(num_labels, 64, bias=False)

    def forward(self, images, labels):
        features = self.features(images.flatten(1))
        return self.linear(features).flatten() + (self.embedding(labels) * features).sum(1)


class Sound(nn.Module):
    """A correct pair, which the faulty ones below differ from in one thing each."""

    drawer, judge = Drawer, Judge

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.generator = self.drawer(size, channels, classes)
        self.discriminator = self.judge(size, channels, classes)

    def forward(self, codes):
        return self.generator(codes)


class Miscounting(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, 3)


class TenClasses(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, 10)


class GreyOnly(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, 1, classes)


class Square(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__((size[0], size[0]), channels, classes)


class Unbounded(Sound):
    class drawer(Drawer):
        def forward(self, codes):
            return 9 * super().forward(codes)


class Columnar(Sound):
    class judge(Judge):
        def forward(self, images, labels):
            return super().forward(images, labels)[:, None]


class Whimsical(Sound):
    class drawer(Drawer):
        def forward(self, codes):
            return super().forward(codes + torch.randn(1))


class Deaf(Sound):
    class drawer(Drawer):
        def forward(self, codes):
            return super().forward(torch.cat([0 * codes[:, :NOISE], codes[:, NOISE:]], 1))


class Batchwise(Sound):
    class drawer(Drawer):
        def forward(self, codes):
            return super().forward(codes - codes.mean(0))


class Dividing(Sound):
    class drawer(Drawer):
        def forward(self, codes):
            return super().forward(codes / codes[:, :NOISE].norm(dim=1, keepdim=True))


class Sharing(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.discriminator.layer = self.generator.layer


class Blind(Sound):
    class drawer(Drawer):
        def forward(self, codes):
            return super().forward(torch.cat([codes[:, :NOISE], 0 * codes[:, NOISE:]], 1))


FAULTS = {
    Miscounting: "parts_declared",
    Unbounded: "images_shaped",
    Columnar: "scores_shaped",
    TenClasses: "any_number_of_classes_is_drawn",
    GreyOnly: "any_number_of_channels_is_drawn",
    Square: "other_sizes_drawn_or_refused",
    Whimsical: "same_question_same_images",
    Deaf: "same_question_same_images",
    Batchwise: "alone_as_in_a_batch",
    Dividing: "finite_for_any_noise",
    Sharing: "each_player_steps_alone",
    Blind: "learns_to_draw",
}
"""The check that must catch each faulty pair."""


def offered(monkeypatch, net):
    about = {"name": "subject", "summary": "a pair", "paper": "unpublished", "size": (4, 4), "task": "generation"}
    spec = zoo.ModelSpec(
        build=f"{__name__}:{net.__name__}",
        recipe=Recipe(optimizer="adam", lr=2e-3, betas=(0.5, 0.999), objective="hinge"),
        **about,
    )
    return offer(monkeypatch, spec)


def test_a_correct_generator_passes_every_check(monkeypatch):
    assert check_model(offered(monkeypatch, Sound)).passed == tuple(GENERATOR_CHECKS)


def test_every_check_that_only_generators_have_has_a_planted_fault(figure):
    own = GENERATOR_CHECKS.keys() - CLASSIFIER_CHECKS.keys()
    figure(f"check_model of generators: {len(FAULTS)} planted faults for {len(own)} checks that only they have")
    assert set(FAULTS.values()) == own


@pytest.mark.parametrize(("net", "check"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_planted_fault_is_caught_by_name_with_what_to_do(monkeypatch, net, check):
    with pytest.raises(CheckFailure, match=rf"^subject: {check}: .*; \w"):
        check_model(offered(monkeypatch, net), only=[check])
