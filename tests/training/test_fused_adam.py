"""One call for one parameter: the same numbers as the optimizer's own step."""

import pytest
import torch
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW

from zoo.training.fused_adam import FusedAdam


def optimizers(kind):
    torch.manual_seed(0)
    start = torch.randn(37)
    return [kind([Parameter(start.clone())], lr=0.1, betas=(0.8, 0.9), weight_decay=0.01, fused=True) for _ in "ab"]


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_steps_are_those_of_the_optimizer_to_the_bit(kind):
    one, other = optimizers(kind)
    descent = FusedAdam(one)
    for step in range(20):
        if step == 10:
            one.load_state_dict(one.state_dict())  # other tensors, as after a resumed training
        gradient = torch.randn(37)
        for optimizer in (one, other):
            group = optimizer.param_groups[0]
            group["lr"], group["params"][0].grad = 0.1 / (1 + step), gradient.clone()
        descent.step()
        other.step()
    assert torch.equal(one.param_groups[0]["params"][0], other.param_groups[0]["params"][0])
    assert one.state_dict()["state"][0]["step"] == 20


def test_others_are_left_to_torch():
    two = [Parameter(torch.zeros(2)), Parameter(torch.zeros(2))]
    assert FusedAdam.is_supported(Adam(two[:1], fused=True))
    assert not FusedAdam.is_supported(Adam(two, fused=True))
    assert not FusedAdam.is_supported(SGD(two[:1], lr=0.1))


def test_with_several_threads_it_is_the_same_step_and_they_stay():
    one, other = optimizers(Adam)
    torch.set_num_threads(2)
    try:
        for _ in range(3):
            for optimizer in (one, other):
                optimizer.param_groups[0]["params"][0].grad = torch.ones(37)
            FusedAdam(one).step()
            other.step()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert torch.equal(one.param_groups[0]["params"][0], other.param_groups[0]["params"][0])
