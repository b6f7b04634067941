"""A loss that is not finite stops training with its step, its images and advice, or its batch is skipped."""

import re

import pytest
import torch

import zoo
from zoo.errors import ConfigError, TrainingError
from zoo.training.checkpoint.format import read_checkpoint

IMAGES, BATCH = 96, 16


@pytest.fixture(scope="module")
def data():
    return zoo.dataset("fashion-mnist-7x7").train.take(IMAGES, seed=0)


def make_nan_model(*images):
    """Return a model that outputs nan for a batch with one of these images."""
    model = zoo.create("gcn-7x7", seed=0)
    targets = [image.float() / 255 for image in images]

    def replace_logits(net, inputs, logits):
        has_target = any(bool((inputs[0] == target).flatten(1).all(1).any()) for target in targets)
        return logits * float("nan") if has_target and net.training else logits

    model.net.register_forward_hook(replace_logits)
    return model


def fit(model, data, **options):
    common = {"epochs": 2, "batch_size": BATCH, "kernels": "torch", "progress": False, "device": "cpu"}
    return model.fit(data, **{**common, **options})


def test_the_error_names_the_step_and_the_images_of_the_batch(data, tmp_path):
    model = make_nan_model(data.images[7])
    before = [weight.clone() for weight in model.net.parameters()]
    with pytest.raises(TrainingError, match="the loss of 'net' is nan at step") as caught:
        fit(model, data, checkpoint=tmp_path / "run", checkpoint_every="2 steps")
    message = str(caught.value)
    step = int(re.search(r"step (\d+) of epoch 1", message)[1])
    indices = [int(word) for word in re.search(r"on images ([\d, ]+);", message)[1].split(",")]
    order = zoo.Loader(data, batch_size=BATCH, seed=0).batch_indices(0, step - 1).tolist()
    assert indices == order
    assert 7 in indices
    for hint in ("lower lr", "clip=1.0", "on_nan='skip'", "as it was before this fit"):
        assert hint in message
    newest = re.search(r"the last good checkpoint is (\S+)", message)[1]
    assert newest.endswith(f"00000-{(step - 1) // 2 * 2:08d}")
    assert all(torch.equal(*pair) for pair in zip(before, model.net.parameters(), strict=True))


def test_a_skipped_batch_is_left_out_and_counted(data):
    model = fit(make_nan_model(data.images[7]), data, on_nan="skip")
    assert model.history["skipped"] == [1, 1]
    assert all(bool(torch.isfinite(weight).all()) for weight in model.net.parameters())
    assert all(0 < loss < 5 for loss in model.history["loss"])


def test_skip_changes_nothing_if_every_loss_is_finite(data):
    stop, skip = (fit(zoo.create("gcn-7x7", seed=0), data, on_nan=each) for each in ("stop", "skip"))
    assert stop.history["loss"] == skip.history["loss"]
    assert "skipped" not in skip.history.columns


def test_an_epoch_with_only_skipped_batches_is_an_error(data):
    with pytest.raises(
        TrainingError, match="each of the 6 batches of epoch 1 gave a loss that is not finite, and was skipped"
    ):
        fit(make_nan_model(*data.images), data, on_nan="skip")


def test_weights_that_are_not_finite_are_never_stored(data, tmp_path):
    model = zoo.create("gcn-7x7", seed=0)
    next(model.net.parameters()).register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(TrainingError, match="not finite after the step at step 1") as caught:
        fit(model, data, checkpoint=tmp_path / "run", checkpoint_every="1 step")
    name = re.search(r"checkpoints/(\S+)", str(caught.value))[1]
    stored = read_checkpoint(tmp_path / "run" / "checkpoints" / name)
    assert all(bool(torch.isfinite(each).all()) for each in stored.state["net"].values())


def test_a_batch_of_an_external_loader_is_named_by_its_number(data):
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(data.images, data.labels), batch_size=BATCH, shuffle=False
    )
    with pytest.raises(TrainingError, match="at step 3 of epoch 1, on batch 3 of the loader"):
        make_nan_model(data.images[2 * BATCH]).fit(loader, epochs=1, kernels="torch", progress=False)


def test_an_unknown_on_nan_is_refused(data):
    with pytest.raises(ConfigError, match="on_nan is 'stop' or 'skip', not 'ignore'"):
        fit(zoo.create("gcn-7x7", seed=0), data, on_nan="ignore")


def make_nan_generator(image):
    """Return a generator whose discriminator outputs nan for a batch with this image."""
    model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4, channels=1)
    target = image.float() / 127.5 - 1

    def replace_scores(net, inputs, scores):
        distances = (inputs[0] - target).abs().flatten(1).amax(1)
        return scores * float("nan") if bool(distances.min() < 1e-3) else scores

    model.net.discriminator.register_forward_hook(replace_scores)
    return model


def test_with_two_players_the_whole_batch_is_skipped_and_counted_once(data):
    images = data.take(48).resize(16)
    options = {"epochs": 2, "batch_size": 16, "progress": False, "device": "cpu"}
    with pytest.raises(TrainingError, match=r"the loss of 'discriminator' is nan at step \d of epoch 1, on images"):
        make_nan_generator(images.images[7]).fit(images, **options)
    model = make_nan_generator(images.images[7]).fit(images, on_nan="skip", **options)
    assert model.history["skipped"] == [1, 1]
    assert all(bool(torch.isfinite(weight).all()) for weight in model.net.parameters())


def test_a_resumed_training_continues_the_count_of_skipped_batches(data, tmp_path):
    class Stop:
        left = 5

        def on_step(self, training):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

        def on_epoch(self, training):
            pass

    order = zoo.Loader(data, batch_size=BATCH, seed=0).batch_indices(0, 1)
    image = data.images[int(order[0])]
    options = {"on_nan": "skip", "checkpoint": tmp_path / "run", "checkpoint_every": "1 step", "epochs": 1}
    with pytest.raises(KeyboardInterrupt):
        fit(make_nan_model(image), data, callbacks=[Stop()], **options)
    resumed = fit(make_nan_model(image), data, resume=True, **options)
    assert resumed.history["skipped"] == [1]
    assert resumed.history["loss"] == fit(make_nan_model(image), data, on_nan="skip", epochs=1).history["loss"]
