"""`FusedAdam` takes the same steps as torch's optimizer."""

import pytest
import torch
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW

from zoo.training.fused_adam import FusedAdam


def make_optimizers(optimizer_class):
    torch.manual_seed(0)
    start = torch.randn(37)
    return [
        optimizer_class([Parameter(start.clone())], lr=0.1, betas=(0.8, 0.9), weight_decay=0.01, fused=True)
        for _ in "ab"
    ]


@pytest.mark.parametrize("optimizer_class", [Adam, AdamW])
def test_steps_have_the_bits_of_the_optimizers_steps(optimizer_class):
    optimizer, expected = make_optimizers(optimizer_class)
    fused = FusedAdam(optimizer)
    for step in range(20):
        if step == 10:
            optimizer.load_state_dict(optimizer.state_dict())  # new tensors, as in a resumed training
        gradient = torch.randn(37)
        for each in (optimizer, expected):
            group = each.param_groups[0]
            group["lr"], group["params"][0].grad = 0.1 / (1 + step), gradient.clone()
        fused.step()
        expected.step()
    assert torch.equal(optimizer.param_groups[0]["params"][0], expected.param_groups[0]["params"][0])
    assert optimizer.state_dict()["state"][0]["step"] == 20


def test_other_optimizers_are_not_supported():
    two = [Parameter(torch.zeros(2)), Parameter(torch.zeros(2))]
    assert FusedAdam.is_supported(Adam(two[:1], fused=True))
    assert not FusedAdam.is_supported(Adam(two, fused=True))
    assert not FusedAdam.is_supported(SGD(two[:1], lr=0.1))


def test_with_several_threads_the_step_is_the_same_and_the_threads_stay():
    optimizer, expected = make_optimizers(Adam)
    torch.set_num_threads(2)
    try:
        for _ in range(3):
            for each in (optimizer, expected):
                each.param_groups[0]["params"][0].grad = torch.ones(37)
            FusedAdam(optimizer).step()
            expected.step()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert torch.equal(optimizer.param_groups[0]["params"][0], expected.param_groups[0]["params"][0])
