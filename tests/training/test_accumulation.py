"""Gradients are added up over batches, and an optimizer's state keeps the keys that checkpoints store."""

import pytest
import torch
from accelerate import Accelerator

from zoo.recipe import Recipe
from zoo.training.accumulation import GradientAccumulator
from zoo.training.optimizer import PlayerOptimizer


def make_net():
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(net.weight)
    return net


def make_accumulator(net, num_batches):
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    parameters = list(net.parameters())
    return GradientAccumulator(
        net, parameters, num_batches=num_batches, accelerator=Accelerator(cpu=True), scaler=scaler
    )


def make_optimizer(net, **changes):
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    recipe = Recipe(optimizer="sgd", lr=1.0, **changes)
    return PlayerOptimizer(net, recipe, steps_per_epoch=4, accelerator=Accelerator(cpu=True), scaler=scaler)


def compute_loss(net, slope):
    """Return a loss whose gradient is `slope`."""
    return (net.weight * slope).sum()


def test_full_batches_give_the_mean_gradient():
    net = make_net()
    accumulator = make_accumulator(net, 2)
    accumulator.backward(compute_loss(net, 1.0))
    assert not accumulator.is_full
    accumulator.backward(compute_loss(net, 3.0))
    assert accumulator.is_full
    assert net.weight.grad.item() == 2.0


def test_fewer_batches_are_averaged_over_their_number():
    net = make_net()
    accumulator = make_accumulator(net, 4)
    for slope in (1.0, 3.0):
        accumulator.backward(compute_loss(net, slope))
    accumulator.average_pending()
    assert net.weight.grad.item() == 2.0


def test_a_given_gradient_counts_as_a_computed_one():
    net = make_net()
    accumulator = make_accumulator(net, 2)
    accumulator.add(torch.tensor([[1.0]]))
    accumulator.backward(compute_loss(net, 3.0))
    assert net.weight.grad.item() == 2.0


def test_clear_drops_gradients_and_count():
    net = make_net()
    accumulator = make_accumulator(net, 2)
    accumulator.backward(compute_loss(net, 1.0))
    accumulator.clear()
    assert (accumulator.num_pending, net.weight.grad) == (0, None)


def test_the_state_of_an_optimizer_has_the_stored_keys():
    state = make_optimizer(make_net()).state_dict()
    assert state.keys() == {"optimizer", "scaler", "taken", "steps", "pending", "gradients", "plateau"}


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_an_optimizer_resumes_between_two_batches_of_a_step(num_steps):
    nets = make_net(), make_net()
    expected, resumed = (make_optimizer(net, accumulate=2, schedule="cosine", momentum=0.9) for net in nets)
    slopes = (1.0, 2.0, 3.0, 4.0)
    for slope in slopes:
        expected.step(compute_loss(nets[0], slope))
    for slope in slopes[:num_steps]:
        resumed.step(compute_loss(nets[1], slope))
    state, weight = resumed.state_dict(), nets[1].weight.detach().clone()
    other_net = make_net()
    other_net.weight.data.copy_(weight)
    other = make_optimizer(other_net, accumulate=2, schedule="cosine", momentum=0.9)
    other.load_state_dict(state)
    for slope in slopes[num_steps:]:
        other.step(compute_loss(other_net, slope))
    assert torch.equal(other_net.weight, nets[0].weight)
    assert other.schedule.lr == expected.schedule.lr
