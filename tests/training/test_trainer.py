"""Training follows the recipe."""

import time

import pytest
import torch

import zoo
from zoo.errors import ConfigError, TrainingError
from zoo.training.callbacks import Training


@pytest.fixture(scope="module")
def data():
    sets = zoo.dataset("fashion-mnist-7x7")
    return sets.train.take(320, seed=0), sets.test.take(128, seed=0)


def fit(data, name="gcn-7x7", **changes):
    return zoo.create(name, seed=0).fit(data, progress=False, **{"epochs": 2, **changes})


def flatten_weights(model):
    return torch.cat([weight.detach().flatten() for weight in model.net.parameters()])


RECIPES = [
    {"optimizer": "adamw", "weight_decay": 0.1},
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
    {"optimizer": "rmsprop"},
    {"schedule": "step", "step_size": 1, "gamma": 0.5},
    {"schedule": "cosine", "warmup": 0.5},
    {"schedule": "one-cycle"},
    {"clip": 0.1},
    {"accumulate": 3},
    {"label_smoothing": 0.1},
    {"class_weights": "balanced"},
    {"class_weights": (1.0,) * 9 + (2.0,)},
    {"mixup": 0.4},
    {"cutmix": 1.0},
    {"mixup": 0.2, "cutmix": 1.0},
    {"augment": ("flip", "shift:1", "cutout:2", "rotate", "contrast")},
    {"ema": 0.9},
    {"precision": "bf16"},
    {"validation": 0.2, "split": "ordered"},
    {"shuffle": False},
]


@pytest.mark.parametrize("changes", RECIPES, ids=str)
def test_each_field_of_a_recipe_changes_the_weights_and_keeps_them_finite(data, changes):
    plain, changed = flatten_weights(fit(data[0])), flatten_weights(fit(data[0], **changes))
    assert torch.isfinite(changed).all()
    assert not torch.equal(plain, changed)


@pytest.mark.parametrize("changes", [{"mixup": 0.4, "augment": ("rotate",)}, {"ema": 0.9}, {"accumulate": 2}], ids=str)
def test_every_recipe_is_repeatable(data, changes):
    assert torch.equal(flatten_weights(fit(data[0], **changes)), flatten_weights(fit(data[0], **changes)))


def test_one_step_of_sgd_follows_the_formula(data):
    batch = data[0].take(64)
    model = zoo.create("gcn-7x7", seed=0)
    before = flatten_weights(model).clone()
    images = batch.images.float() / 255
    torch.nn.functional.cross_entropy(model.net(images), batch.labels).backward()
    gradient = torch.cat([weight.grad.flatten() for weight in model.net.parameters()])
    stepped = fit(batch, optimizer="sgd", lr=0.5, epochs=1, batch_size=64, weight_decay=0.0, shuffle=False)
    torch.testing.assert_close(flatten_weights(stepped), before - 0.5 * gradient, rtol=1e-5, atol=1e-7)


def test_accumulating_four_batches_of_16_equals_one_of_64(data):
    batch = data[0].take(128)
    common = {"optimizer": "sgd", "lr": 0.5, "weight_decay": 0.0, "shuffle": False, "epochs": 2}
    whole = flatten_weights(fit(batch, batch_size=64, **common))
    parts = flatten_weights(fit(batch, batch_size=16, accumulate=4, **common))
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-6)


def test_fewer_batches_at_the_end_of_an_epoch_are_averaged(data):
    batch = data[0].take(48)
    common = {"optimizer": "sgd", "lr": 0.5, "weight_decay": 0.0, "shuffle": False, "epochs": 1}
    whole = flatten_weights(fit(batch, batch_size=48, **common))
    parts = flatten_weights(fit(batch, batch_size=16, accumulate=5, **common))
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-6)


def test_clipping_bounds_the_step(data):
    before = flatten_weights(zoo.create("gcn-7x7", seed=0))
    batch = data[0].take(64)
    step = flatten_weights(fit(batch, optimizer="sgd", lr=1.0, clip=0.01, epochs=1, weight_decay=0.0)) - before
    assert float(step.norm()) == pytest.approx(0.01, rel=1e-3)


def test_the_average_is_scored_and_left_in_the_model(data):
    seen = []

    class RecordWeights:
        def on_step(self, training: Training):
            pass

        def on_epoch(self, training: Training):
            average, raw = (
                torch.cat([w.detach().flatten() for w in n["net"].parameters()])
                for n in (training.scored, training.nets)
            )
            seen.append((average.clone(), raw.clone()))

    model = fit(data[0], validation=data[1], ema=0.95, callbacks=[RecordWeights()])
    average, raw = seen[-1]
    assert not torch.equal(average, raw)
    assert torch.equal(flatten_weights(model), average)
    assert model.evaluate(data[1]).accuracy == pytest.approx(model.history[-1]["val_accuracy"])


def test_early_stopping_stops_and_restores_the_best_weights(data):
    model = fit(data[0], "cnn-7x7", validation=data[1], epochs=60, patience=3, monitor="val_loss", lr=0.01)
    best = model.history.best("val_loss")
    assert len(model.history) < 60
    assert best["epoch"] == len(model.history) - 3
    assert "no better val_loss" in model.history.stopped
    assert model.evaluate(data[1]).nll == pytest.approx(best["val_loss"], rel=1e-5)


def test_keeping_the_best_epoch_restores_it_without_stopping(data):
    model = fit(data[0], "cnn-7x7", validation=data[1], epochs=12, keep="best", monitor="val_accuracy", lr=0.01)
    assert len(model.history) == 12
    assert model.evaluate(data[1]).accuracy == pytest.approx(max(model.history["val_accuracy"]))


def test_a_time_limit_ends_training_with_a_reason(data):
    started = time.monotonic()
    model = fit(data[0], epochs=10_000, time_limit=1.0)
    assert time.monotonic() - started < 20
    assert "time limit" in model.history.stopped
    assert 1 <= len(model.history) < 10_000


def test_a_callback_can_stop_training(data):
    class Stop:
        def on_step(self, training):
            pass

        def on_epoch(self, training):
            training.stop = "enough epochs" if training.epoch == 3 else ""

    model = fit(data[0], epochs=9, callbacks=[Stop()])
    assert (len(model.history), model.history.stopped) == (3, "enough epochs")


def test_validation_images_are_not_trained_on(data):
    counts = []

    class Count:
        def on_step(self, training):
            counts.append(training.images)

        def on_epoch(self, training):
            assert "val_accuracy" in training.row

    fit(data[0], validation=0.25, split="random", epochs=1, callbacks=[Count()])
    assert counts[-1] == 240


def test_a_loss_that_is_not_finite_stops_with_advice(data):
    with pytest.raises(TrainingError, match="lower lr"):
        fit(data[0], "cnn-7x7", optimizer="sgd", lr=1e30)


def test_a_monitor_must_be_a_column_of_the_history(data):
    with pytest.raises(ConfigError, match="is not a column"):
        fit(data[0], keep="best", monitor="val_loss")


def test_a_compiled_net_trains_to_the_same_losses(data):
    import shutil

    if shutil.which("g++") is None:
        pytest.skip("torch.compile needs a C++ compiler on the CPU")
    plain, compiled = fit(data[0], epochs=1), fit(data[0], epochs=1, compile=True)
    assert compiled.history[0]["loss"] == pytest.approx(plain.history[0]["loss"], rel=1e-4)
    assert not any("_orig_mod" in name for name in compiled.net.state_dict())


def test_training_leaves_denormal_numbers_as_they_were(data):
    fit(data[0], epochs=1)
    assert float(torch.tensor(1e-40) * 1.0) != 0
