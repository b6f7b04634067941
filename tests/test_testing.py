"""Every registered model passes the kit, and the kit catches faults by name."""

import pytest
import torch
from torch import nn

import zoo
from zoo import testing
from zoo.errors import ConfigError
from zoo.registry import Registry
from zoo.testing import CHECKS, CheckFailure, check_model


@pytest.mark.parametrize("name", list(zoo.models))
def test_every_registered_model_passes_every_check(name):
    report = check_model(name)
    print(report)
    assert report.passed == tuple(CHECKS)
    assert report.num_checks >= 20


class Sound(nn.Module):
    """A small correct model, which the faulty ones below differ from in one thing each."""

    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__()
        self.layer = nn.Linear(channels * size[0] * size[1], classes)

    def forward(self, images):
        return self.layer(images.flatten(1))


class Batchwise(Sound):
    def forward(self, images):
        return super().forward(images - images.mean(0, keepdim=True))


class Forgotten(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.spare = nn.Parameter(torch.ones(3))


class Loose(nn.Module):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10, **options: int):
        super().__init__()
        self.layer = nn.Linear(channels * size[0] * size[1], classes)

    def forward(self, images):
        return self.layer(images.flatten(1))


class Noisy(Sound):
    def forward(self, images):
        return super().forward(images) + torch.randn(1) * 0.01


class TenOnly(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, 10)


class Shuffled(Sound):
    def forward(self, images):
        return super().forward(images).roll(1, 0)


class Aside(Sound):
    def forward(self, images):
        return super().forward(images + torch.zeros(1, dtype=torch.float32)).float()


class Unseeded(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        nn.init.constant_(self.layer.weight, 0.01)
        nn.init.constant_(self.layer.bias, 0.0)


SHARED = nn.Linear(49, 10)


class Aliased(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        if (channels, classes, *size) == (1, 10, 7, 7):
            self.layer.bias = SHARED.bias


class Drifting(Sound):
    def __init__(self, size: tuple[int, int], channels: int = 1, classes: int = 10):
        super().__init__(size, channels, classes)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, images):
        self.calls += 1
        return super().forward(images)


class Frozen(Sound):
    def forward(self, images):
        return super().forward(images).detach() + 0 * self.layer.weight.sum() + 0 * self.layer.bias.sum()


FAULTS = {
    Batchwise: "batch_of_one_equals_batch_of_many",
    Forgotten: "gradients_reach_every_weight",
    Loose: "builder takes",
    Noisy: "eval_mode_deterministic",
    TenOnly: "any_number_of_classes",
    Shuffled: "order_kept",
    Aside: "follows_device_and_dtype",
    Unseeded: "same_seed_same_weights",
    Aliased: "weights_not_shared",
    Drifting: "eval_mode_deterministic",
    Frozen: "loss_falls",
}


@pytest.fixture
def offered(monkeypatch):
    """Offer a net of this file as a model of the zoo, as an installed plugin would."""
    from zoo.discovery import Plugin
    from zoo.plugins import CATALOGUE

    def offer(net):
        spec = zoo.ModelSpec(name="subject", summary="a net", build=f"{__name__}:{net.__name__}", size=(7, 7))
        plugin = Plugin(name="zoo_subject", distribution="zoo-subject", version="1", target=__name__, offers=(spec,))
        monkeypatch.setattr(CATALOGUE, "_plugins", (*CATALOGUE.plugins(), plugin))
        monkeypatch.setattr(CATALOGUE, "_offers", {})
        assert isinstance(zoo.models, Registry)
        return "subject"

    return offer


def test_a_correct_model_passes(offered):
    assert check_model(offered(Sound)).passed == tuple(CHECKS)


@pytest.mark.parametrize(("net", "check"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_planted_fault_is_caught_by_name(offered, net, check):
    name = offered(net)
    with pytest.raises((CheckFailure, zoo.ZooError), match=check):
        check_model(name)


def test_an_expected_failure_needs_a_reason_and_a_check_that_exists(offered):
    name = offered(Forgotten)
    for excuses in ({"gradients_reach_every_weight": " "}, {"no_such_check": "because"}):
        with pytest.raises(ConfigError, match="expected failure"):
            check_model(name, expected_failures=excuses)


def test_an_expected_failure_is_reported_with_its_reason(offered):
    report = check_model(offered(Forgotten), expected_failures={"gradients_reach_every_weight": "spare is for later"})
    assert report.excused == {"gradients_reach_every_weight": "spare is for later"}
    assert "spare is for later" in str(report)


def test_an_expected_failure_that_holds_is_a_failure(offered):
    with pytest.raises(CheckFailure, match="drop the excuse"):
        check_model(offered(Sound), expected_failures={"exports": "it used to fail"})


def test_the_checks_say_what_they_check():
    assert all(check.__doc__ for check in testing.CHECKS.values())
