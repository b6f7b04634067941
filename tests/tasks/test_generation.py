"""The two players of generation: their losses, their images, and the range of the images."""

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

PREPROCESSING = Preprocessing(size=(2, 2), mean=(0.5,), std=(0.5,))
BATCH = Batch(torch.full((4, 1, 2, 2), 255, dtype=torch.uint8), torch.tensor([0, 1, 2, 0]))


class Generator(nn.Module):
    """A generator of images of one grey, whatever the noise."""

    def __init__(self, num_labels=3, num_noise=5):
        super().__init__()
        self.num_noise, self.num_labels = num_noise, num_labels
        self.level = nn.Parameter(torch.tensor(-0.5))

    def forward(self, codes):
        return self.level.expand(len(codes), 1, 2, 2)


class Discriminator(nn.Module):
    """A discriminator that scores an image by its mean, and records its inputs."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))
        self.inputs = []

    def forward(self, images, labels):
        self.inputs.append((images.detach().clone(), labels))
        return self.weight * images.mean((1, 2, 3))


@pytest.fixture
def nets():
    return {"discriminator": Discriminator(), "generator": Generator()}


def collect_losses(task, nets):
    return {loss.player: loss for loss in task.losses(nets, BATCH)}


def test_the_classic_losses_are_cross_entropies_of_the_scores(nets):
    losses = collect_losses(Generation(PREPROCESSING), nets)
    real_score, fake_score = 1.0, -0.5  # white is 1 and the generated grey -0.5
    expected = math.log1p(math.exp(-real_score)) + math.log1p(math.exp(fake_score))
    assert losses["discriminator"].value.item() == pytest.approx(expected)
    assert losses["generator"].value.item() == pytest.approx(math.log1p(math.exp(-fake_score)))


def test_the_hinge_losses_stop_at_the_margin(nets):
    losses = collect_losses(Generation(PREPROCESSING, objective="hinge"), nets)
    assert losses["discriminator"].value.item() == pytest.approx(0 + 0.5)
    assert losses["generator"].value.item() == pytest.approx(0.5)


def test_label_smoothing_lowers_the_target_of_real_images_only(nets):
    loss = collect_losses(Generation(PREPROCESSING, label_smoothing=0.1), nets)["discriminator"].value.item()
    smooth = 0.9 * math.log1p(math.exp(-1)) + 0.1 * math.log1p(math.exp(1))
    assert loss == pytest.approx(smooth + math.log1p(math.exp(-0.5)))


def test_tallies_of_losses_count_the_images_taken_for_real(nets):
    losses = collect_losses(Generation(PREPROCESSING), nets)
    assert [int(value) for value in losses["discriminator"].tally["real_as_real"]] == [4, 4]
    assert [int(value) for value in losses["generator"].tally["drawn_as_real"]] == [0, 4]


def test_the_generator_is_stepped_against_the_updated_discriminator(nets):
    losses = Generation(PREPROCESSING).losses(nets, BATCH)
    next(losses)
    with torch.no_grad():
        nets["discriminator"].weight.fill_(3.0)
    assert next(losses).value.item() == pytest.approx(math.log1p(math.exp(1.5)))


def test_images_are_generated_once_per_batch_and_both_players_use_the_same(nets):
    generated = []
    nets["generator"].register_forward_hook(lambda net, codes, images: generated.append(images))
    collect_losses(Generation(PREPROCESSING), nets)
    assert len(generated) == 1
    (_, _), *inputs = nets["discriminator"].inputs  # the first are real
    assert all(torch.equal(images, generated[0]) for images, _ in inputs)


def test_each_loss_reaches_only_its_player_and_the_discriminator_stays_trainable(nets):
    for loss in Generation(PREPROCESSING).losses(nets, BATCH):
        loss.value.backward()
        reached = {name for name, net in nets.items() if any(each.grad is not None for each in net.parameters())}
        assert reached == {loss.player}
        for net in nets.values():
            net.zero_grad()
    assert nets["discriminator"].weight.requires_grad


def test_frozen_weights_stay_frozen():
    net = nn.Linear(2, 2)
    net.bias.requires_grad_(False)
    with freeze(net):
        assert not net.weight.requires_grad
    assert (net.weight.requires_grad, net.bias.requires_grad) == (True, False)


def test_real_and_generated_images_have_the_labels_of_the_batch(nets):
    collect_losses(Generation(PREPROCESSING), nets)
    for _, labels in nets["discriminator"].inputs:
        assert torch.equal(labels, torch.eye(3)[[0, 1, 2, 0]])


def test_real_and_generated_images_are_augmented_and_stay_in_range(nets):
    collect_losses(Generation(PREPROCESSING, augment=Augment(("brightness:0.9",))), nets)
    for images, _ in nets["discriminator"].inputs:
        levels = images.mean((1, 2, 3))
        assert len(levels.unique()) > 1
        assert levels.abs().max() <= 1


def test_the_generator_learns_through_the_augmentation(nets):
    *_, loss = Generation(PREPROCESSING, augment=Augment(("shift:1", "contrast"))).losses(nets, BATCH)
    loss.value.backward()
    assert nets["generator"].level.grad.abs() > 0


def test_predicted_levels_are_between_0_and_1(nets):
    codes = make_codes(one_hot(torch.tensor([2, 0]), nets["generator"]), nets["generator"])
    assert torch.equal(Generation(PREPROCESSING).predict(nets, codes), torch.full((2, 1, 2, 2), 0.25))


def test_codes_are_noise_and_a_one_hot_class(nets):
    rng = torch.Generator().manual_seed(1)
    codes = make_codes(one_hot(torch.tensor([2, 0]), nets["generator"]), nets["generator"], rng)
    assert codes.shape == (2, 5 + 3)
    assert torch.equal(codes[:, 5:], torch.tensor([[0.0, 0, 1], [1, 0, 0]]))
    assert make_codes(one_hot(torch.tensor([2, 0]), Generator(0)), Generator(0)).shape == (2, 5)


def test_the_tally_counts_validation_images_taken_for_real(nets):
    total, count = Generation(PREPROCESSING).tally(nets, BATCH)["real_as_real"]
    assert (int(total), count) == (4, 4)


@pytest.mark.parametrize("change", [{"mixup": 0.2}, {"cutmix": 0.2}, {"class_weights": "balanced"}])
def test_settings_for_classifiers_are_refused(change):
    with pytest.raises(ConfigError, match=f"{next(iter(change))} is for classifiers"):
        build_generation(zoo.Recipe(**change), PREPROCESSING)
