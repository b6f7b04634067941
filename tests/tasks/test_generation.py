"""The two players of generation: who is stepped by what, on which images, in which range."""

import math

import pytest
import torch
from torch import nn

import zoo
from zoo.data import Augment, Batch
from zoo.errors import ConfigError
from zoo.signature import Preprocessing
from zoo.tasks import Generation
from zoo.tasks.generation import build_generation, freeze, make_codes, one_hot

WANTS = Preprocessing(size=(2, 2), mean=(0.5,), std=(0.5,))
BATCH = Batch(torch.full((4, 1, 2, 2), 255, dtype=torch.uint8), torch.tensor([0, 1, 2, 0]))


class Generator(nn.Module):
    """Draws one grey for all noise."""

    def __init__(self, num_labels=3, num_noise=5):
        super().__init__()
        self.num_noise, self.num_labels = num_noise, num_labels
        self.level = nn.Parameter(torch.tensor(-0.5))

    def forward(self, codes):
        return self.level.expand(len(codes), 1, 2, 2)


class Discriminator(nn.Module):
    """Scores an image by its mean, and keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))
        self.shown = []

    def forward(self, images, labels):
        self.shown.append((images.detach().clone(), labels))
        return self.weight * images.mean((1, 2, 3))


@pytest.fixture
def nets():
    return {"discriminator": Discriminator(), "generator": Generator()}


def losses_of(task, nets):
    return {loss.player: loss for loss in task.losses(nets, BATCH)}


def test_the_classic_losses_are_cross_entropies_of_the_scores(nets):
    found = losses_of(Generation(WANTS), nets)
    on_real, on_drawn = 1.0, -0.5  # white is 1 and the drawn grey -0.5
    expected = math.log1p(math.exp(-on_real)) + math.log1p(math.exp(on_drawn))
    assert found["discriminator"].value.item() == pytest.approx(expected)
    assert found["generator"].value.item() == pytest.approx(math.log1p(math.exp(-on_drawn)))


def test_the_hinge_losses_stop_at_the_margin(nets):
    found = losses_of(Generation(WANTS, objective="hinge"), nets)
    assert found["discriminator"].value.item() == pytest.approx(0 + 0.5)
    assert found["generator"].value.item() == pytest.approx(0.5)


def test_label_smoothing_lowers_the_target_of_real_images_only(nets):
    found = losses_of(Generation(WANTS, label_smoothing=0.1), nets)["discriminator"].value.item()
    smooth = 0.9 * math.log1p(math.exp(-1)) + 0.1 * math.log1p(math.exp(1))
    assert found == pytest.approx(smooth + math.log1p(math.exp(-0.5)))


def test_what_is_seen_counts_the_images_taken_for_real(nets):
    found = losses_of(Generation(WANTS), nets)
    assert [int(value) for value in found["discriminator"].tally["real_as_real"]] == [4, 4]
    assert [int(value) for value in found["generator"].tally["drawn_as_real"]] == [0, 4]


def test_the_generator_meets_the_discriminator_that_has_just_stepped(nets):
    losses = Generation(WANTS).losses(nets, BATCH)
    next(losses)
    with torch.no_grad():
        nets["discriminator"].weight.fill_(3.0)
    assert next(losses).value.item() == pytest.approx(math.log1p(math.exp(1.5)))


def test_images_are_drawn_once_a_step_and_both_players_are_shown_the_same(nets):
    drawn = []
    nets["generator"].register_forward_hook(lambda net, codes, images: drawn.append(images))
    losses_of(Generation(WANTS), nets)
    assert len(drawn) == 1
    (_, _), *shown = nets["discriminator"].shown  # the first are real
    assert all(torch.equal(images, drawn[0]) for images, _ in shown)


def test_each_loss_reaches_its_own_player_and_the_discriminator_can_be_trained_afterwards(nets):
    for loss in Generation(WANTS).losses(nets, BATCH):
        loss.value.backward()
        reached = {name for name, net in nets.items() if any(each.grad is not None for each in net.parameters())}
        assert reached == {loss.player}
        for net in nets.values():
            net.zero_grad()
    assert nets["discriminator"].weight.requires_grad


def test_weights_that_were_frozen_stay_frozen():
    net = nn.Linear(2, 2)
    net.bias.requires_grad_(False)
    with freeze(net):
        assert not net.weight.requires_grad
    assert (net.weight.requires_grad, net.bias.requires_grad) == (True, False)


def test_labels_are_those_of_the_batch_for_real_and_drawn_images_alike(nets):
    losses_of(Generation(WANTS), nets)
    for _, labels in nets["discriminator"].shown:
        assert torch.equal(labels, torch.eye(3)[[0, 1, 2, 0]])


def test_real_and_drawn_images_are_augmented_alike_and_in_range(nets):
    losses_of(Generation(WANTS, augment=Augment(("brightness:0.9",))), nets)
    for images, _ in nets["discriminator"].shown:
        levels = images.mean((1, 2, 3))
        assert len(levels.unique()) > 1
        assert levels.abs().max() <= 1


def test_the_generator_learns_through_the_augmentation(nets):
    *_, loss = Generation(WANTS, augment=Augment(("shift:1", "contrast"))).losses(nets, BATCH)
    loss.value.backward()
    assert nets["generator"].level.grad.abs() > 0


def test_predicted_levels_are_between_0_and_1(nets):
    codes = make_codes(one_hot(torch.tensor([2, 0]), nets["generator"]), nets["generator"])
    assert torch.equal(Generation(WANTS).predict(nets, codes), torch.full((2, 1, 2, 2), 0.25))


def test_codes_are_noise_and_the_class_as_one_of_k(nets):
    draws = torch.Generator().manual_seed(1)
    codes = make_codes(one_hot(torch.tensor([2, 0]), nets["generator"]), nets["generator"], draws)
    assert codes.shape == (2, 5 + 3)
    assert torch.equal(codes[:, 5:], torch.tensor([[0.0, 0, 1], [1, 0, 0]]))
    assert make_codes(one_hot(torch.tensor([2, 0]), Generator(0)), Generator(0)).shape == (2, 5)


def test_the_tally_counts_held_out_images_taken_for_real(nets):
    total, count = Generation(WANTS).tally(nets, BATCH)["real_as_real"]
    assert (int(total), count) == (4, 4)


@pytest.mark.parametrize("change", [{"mixup": 0.2}, {"cutmix": 0.2}, {"class_weights": "balanced"}])
def test_what_only_a_classifier_can_do_is_refused(change):
    with pytest.raises(ConfigError, match=f"{next(iter(change))} is for classifiers"):
        build_generation(zoo.Recipe(**change), WANTS)
