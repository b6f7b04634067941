"""A loss that is not finite is told with its step, its images and what to try, or passed over on request."""

import re

import pytest
import torch

import zoo
from zoo.errors import ConfigError, TrainingError
from zoo.training.checkpoint import format as checkpoint

IMAGES, BATCH = 96, 16


@pytest.fixture(scope="module")
def data():
    return zoo.dataset("fashion-mnist-7x7").train.take(IMAGES, seed=0)


def spoilt(*images):
    """Return a model whose answer is not a number for a batch that holds one of these images."""
    model = zoo.create("gcn-7x7", seed=0)
    marks = [image.float() / 255 for image in images]

    def spoil(net, inputs, answer):
        is_odd = any(bool((inputs[0] == mark).flatten(1).all(1).any()) for mark in marks)
        return answer * float("nan") if is_odd and net.training else answer

    model.net.register_forward_hook(spoil)
    return model


def fit(model, data, **how):
    common = {"epochs": 2, "batch_size": BATCH, "kernels": "torch", "progress": False, "device": "cpu"}
    return model.fit(data, **{**common, **how})


def test_the_step_and_the_images_of_the_batch_are_told(data, tmp_path):
    model = spoilt(data.images[7])
    before = [weight.clone() for weight in model.net.parameters()]
    with pytest.raises(TrainingError, match="the loss of 'net' is nan at step") as caught:
        fit(model, data, checkpoint=tmp_path / "run", checkpoint_every="2 steps")
    told = str(caught.value)
    step = int(re.search(r"step (\d+) of epoch 1", told)[1])
    named = [int(word) for word in re.search(r"on images ([\d, ]+);", told)[1].split(",")]
    order = zoo.Loader(data, batch_size=BATCH, seed=0).batch_indices(0, step - 1).tolist()
    assert named == order
    assert 7 in named
    for hint in ("lower lr", "clip=1.0", "on_nan='skip'", "as it was before this fit"):
        assert hint in told
    newest = re.search(r"the last good checkpoint is (\S+)", told)[1]
    assert newest.endswith(f"00000-{(step - 1) // 2 * 2:08d}")
    assert all(torch.equal(*pair) for pair in zip(before, model.net.parameters(), strict=True))


def test_a_skipped_batch_is_left_out_and_counted(data):
    model = fit(spoilt(data.images[7]), data, on_nan="skip")
    assert model.history["skipped"] == [1, 1]
    assert all(bool(torch.isfinite(weight).all()) for weight in model.net.parameters())
    assert all(0 < loss < 5 for loss in model.history["loss"])


def test_nothing_changes_where_every_loss_is_finite(data):
    stop, skip = (fit(zoo.create("gcn-7x7", seed=0), data, on_nan=how) for how in ("stop", "skip"))
    assert stop.history["loss"] == skip.history["loss"]
    assert "skipped" not in skip.history.columns


def test_an_epoch_of_nothing_but_skipped_batches_is_an_error(data):
    with pytest.raises(
        TrainingError, match="each of the 6 batches of epoch 1 gave a loss that is not finite, and was skipped"
    ):
        fit(spoilt(*data.images), data, on_nan="skip")


def test_weights_that_are_not_finite_are_never_kept(data, tmp_path):
    model = zoo.create("gcn-7x7", seed=0)
    next(model.net.parameters()).register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(TrainingError, match="not finite after the step at step 1") as caught:
        fit(model, data, checkpoint=tmp_path / "run", checkpoint_every="1 step")
    name = re.search(r"checkpoints/(\S+)", str(caught.value))[1]
    kept = checkpoint.read_checkpoint(tmp_path / "run" / "checkpoints" / name)
    assert all(bool(torch.isfinite(each).all()) for each in kept.state["net"].values())


def test_a_batch_of_somebody_elses_loader_is_told_by_its_place(data):
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(data.images, data.labels), batch_size=BATCH, shuffle=False
    )
    with pytest.raises(TrainingError, match="at step 3 of epoch 1, on batch 3 of the loader"):
        spoilt(data.images[2 * BATCH]).fit(loader, epochs=1, kernels="torch", progress=False)


def test_another_word_is_refused(data):
    with pytest.raises(ConfigError, match="on_nan is 'stop' or 'skip', not 'ignore'"):
        fit(zoo.create("gcn-7x7", seed=0), data, on_nan="ignore")


def spoilt_pair(image):
    """Return a generator whose discriminator's answer is not a number for a batch with this image."""
    model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4, channels=1)
    mark = image.float() / 127.5 - 1

    def spoil(net, inputs, answer):
        return answer * float("nan") if bool((inputs[0] - mark).abs().flatten(1).amax(1).min() < 1e-3) else answer

    model.net.discriminator.register_forward_hook(spoil)
    return model


def test_two_players_leave_out_the_whole_batch_and_count_it_once(data):
    images = data.take(48).resize(16)
    how = {"epochs": 2, "batch_size": 16, "progress": False, "device": "cpu"}
    with pytest.raises(TrainingError, match=r"the loss of 'discriminator' is nan at step \d of epoch 1, on images"):
        spoilt_pair(images.images[7]).fit(images, **how)
    model = spoilt_pair(images.images[7]).fit(images, on_nan="skip", **how)
    assert model.history["skipped"] == [1, 1]
    assert all(bool(torch.isfinite(weight).all()) for weight in model.net.parameters())


def test_skipped_batches_are_counted_on_after_a_stop(data, tmp_path):
    class Stop:
        left = 5

        def on_step(self, training):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

        def on_epoch(self, training):
            pass

    order = zoo.Loader(data, batch_size=BATCH, seed=0).batch_indices(0, 1)
    odd = data.images[int(order[0])]
    how = {"on_nan": "skip", "checkpoint": tmp_path / "run", "checkpoint_every": "1 step", "epochs": 1}
    with pytest.raises(KeyboardInterrupt):
        fit(spoilt(odd), data, callbacks=[Stop()], **how)
    gone_on = fit(spoilt(odd), data, resume=True, **how)
    assert gone_on.history["skipped"] == [1]
    assert gone_on.history["loss"] == fit(spoilt(odd), data, on_nan="skip", epochs=1).history["loss"]
