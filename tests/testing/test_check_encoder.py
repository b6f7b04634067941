"""Every encoder of zoo's passes the kit, and the kit catches planted faults by name."""

import pytest
import torch
from torch import nn

import zoo
from tests.support.fake_plugin import offer
from zoo.testing import ENCODER_CHECKS, CheckFailure, check_encoder


@pytest.mark.parametrize("name", list(zoo.encoders))
def test_every_registered_encoder_passes_every_check(name):
    report = check_encoder(name)
    print(report)
    assert report.num_checks >= 12
    assert bool(report.skipped) == (not zoo.encoders[name].symmetry)


class Sound(nn.Module):
    """A small correct encoder, which the faulty ones below differ from in one thing each."""

    def __init__(self, width: int):
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, nodes, graph):
        return self.layer(graph.propagate(nodes))


class Batchwise(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes - nodes.mean(0, keepdim=True), graph)


class Shuffled(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes, graph).roll(1, 0)


class Forgotten(Sound):
    def __init__(self, width: int):
        super().__init__(width)
        self.spare = nn.Parameter(torch.ones(3))


class Detached(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes.detach(), graph)


class Noisy(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes, graph) + 0.01 * torch.randn(1)


class Seeding(Sound):
    def forward(self, nodes, graph):
        torch.manual_seed(0)
        return super().forward(nodes, graph)


class Wide(Sound):
    def forward(self, nodes, graph):
        return torch.cat([super().forward(nodes, graph), nodes], 2)


class EightOnly(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes, graph) / (graph.neighbours - 4)


class Leaning(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes, graph) + nodes.roll(1, 1)


class Placed(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes, graph) + graph.coordinates()[:, :1]


class Aside(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes, graph).float()


class Unseeded(Sound):
    def __init__(self, width: int):
        super().__init__(width)
        nn.init.constant_(self.layer.weight, 0.01)
        nn.init.constant_(self.layer.bias, 0.0)


SHARED = nn.Linear(16, 16)


class Aliased(Sound):
    def __init__(self, width: int):
        super().__init__(width)
        self.layer.bias = SHARED.bias


class Drifting(Sound):
    def __init__(self, width: int):
        super().__init__(width)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, nodes, graph):
        self.calls += 1
        return super().forward(nodes, graph)


class Writing(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes.mul_(0.5), graph)


class Loose(nn.Module):
    def __init__(self, width: int, **options: int):
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, nodes, graph):
        return self.layer(nodes)


class OnCpu(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes + torch.zeros(1, dtype=nodes.dtype), graph)


class Branching(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes, graph) if float(nodes.detach().sum()) > 1e9 else self.layer(nodes)


class Counting(Sound):
    def forward(self, nodes, graph):
        return super().forward(nodes, graph) + torch.zeros(len(nodes), 1, 1, dtype=nodes.dtype, device=nodes.device)


FAULTS = {
    Batchwise: "batch_of_one_equals_batch_of_many",
    Shuffled: "batch_order_kept",
    Forgotten: "gradients_reach_every_weight",
    Detached: "gradients_reach_every_weight",
    Noisy: "random_state_untouched",
    Seeding: "random_state_untouched",
    Wide: "nodes_keep_their_shape",
    EightOnly: "nodes_keep_their_shape",
    Leaning: "declared_symmetry_holds",
    Placed: "declared_symmetry_holds",
    Aside: "follows_device_and_dtype",
    OnCpu: "follows_device_and_dtype",
    Unseeded: "same_seed_same_weights",
    Aliased: "weights_not_shared",
    Drifting: "eval_mode_deterministic",
    Writing: "eval_mode_deterministic",
    Loose: "unknown_option_refused",
    Branching: "exports",
    Counting: "exports",
}


SPEC_FIELDS = {"described": "summary", "paper_named": "paper"}
"""The check that must catch a spec without each field."""


def offered(monkeypatch, net, **fields):
    fields = {"summary": "an encoder", "symmetry": "D4", "paper": "unpublished", **fields}
    return offer(monkeypatch, zoo.EncoderSpec(name="subject", build=f"{__name__}:{net.__name__}", **fields))


def test_a_correct_encoder_passes(monkeypatch, figure):
    num = len(FAULTS) + len(SPEC_FIELDS)
    figure(f"check_encoder: {num} planted faults for {len(ENCODER_CHECKS)} checks of an encoder")
    assert {*FAULTS.values(), *SPEC_FIELDS} == set(ENCODER_CHECKS)
    assert check_encoder(offered(monkeypatch, Sound)).passed == tuple(ENCODER_CHECKS)


@pytest.mark.parametrize(("net", "check"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_planted_fault_is_caught_by_name_with_what_to_do(monkeypatch, net, check):
    name = offered(monkeypatch, net)
    with pytest.raises(CheckFailure, match=rf"^subject: {check}: .*; \w"):
        check_encoder(name, only=[check])
    with pytest.raises(CheckFailure):
        check_encoder(name)


@pytest.mark.parametrize(("check", "field"), SPEC_FIELDS.items())
def test_a_spec_that_does_not_say_it_is_caught_with_what_to_do(monkeypatch, check, field):
    name = offered(monkeypatch, Sound, **{field: " "})
    with pytest.raises(CheckFailure, match=rf"^subject: {check}: .*; give EncoderSpec\({field}=...\)"):
        check_encoder(name)


def test_without_a_declared_symmetry_that_check_does_not_run_and_the_report_says_so(monkeypatch):
    report = check_encoder(offered(monkeypatch, Leaning, symmetry=""))
    assert report.skipped == {"declared_symmetry_holds": "it declares no symmetry"}
    assert "declares no symmetry" in str(report)
    assert report.num_checks == len(ENCODER_CHECKS) - 1


def test_an_encoder_is_checked_at_other_widths_and_options():
    assert check_encoder("gps", width=8, heads=2, dropout=0.5).num_checks == len(ENCODER_CHECKS) - 1


def test_an_expected_failure_is_reported_with_its_reason(monkeypatch):
    name = offered(monkeypatch, Leaning)
    report = check_encoder(name, expected_failures={"declared_symmetry_holds": "it leans to the left"})
    assert "it leans to the left" in str(report)
