"""Replayed steps equal the steps that would have been taken without a recording.

Most tests need no GPU: a fake recorder repeats the recorded work on the same memory, as a CUDA graph does.
"""

import pytest
import torch

import zoo
from zoo.recipe import Recipe
from zoo.training import trainer
from zoo.training.callbacks import Training
from zoo.training.cuda_graph import WARM_UP_STEPS, make_recorder


class FakeRecorder:
    """Records a function without running it, and runs it at each replay."""

    def __init__(self):
        self.replays = self.records = 0

    def warm_up(self, function):
        function()

    def record(self, function):
        self.records += 1

        def replay():
            self.replays += 1
            function()

        return replay


class EmptyRecorder(FakeRecorder):
    """A recorder that misses the work of the step, as it misses what happens in Python."""

    def record(self, function):
        return lambda: None


class FailingRecorder(FakeRecorder):
    def record(self, function):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")


@pytest.fixture
def use(monkeypatch):
    def replace(recorder):
        monkeypatch.setattr(trainer, "make_recorder", lambda *args: recorder)
        return recorder

    return replace


RECIPES = {
    "adam": {},
    "adamw": {"optimizer": "adamw", "schedule": "one-cycle", "clip": 0.1},
    "sgd": {"optimizer": "sgd", "momentum": 0.9, "ema": 0.9, "label_smoothing": 0.1},
}


def train(small, **recipe):
    model = zoo.create("cnn-7x7", seed=0)
    return model.fit(small, epochs=3, batch_size=48, kernels="torch", progress=False, **recipe)


@pytest.mark.parametrize("name", RECIPES)
def test_a_training_by_replays_gives_the_same_losses(name, small, use):
    plain = train(small, **RECIPES[name])
    recorder = use(FakeRecorder())
    replayed = train(small, **RECIPES[name])
    assert replayed.history["loss"] == pytest.approx(plain.history["loss"], rel=1e-5)
    assert replayed.history["lr"] == pytest.approx(plain.history["lr"], rel=1e-6)
    assert recorder.records == 1
    assert recorder.replays == 3 * 4 - WARM_UP_STEPS  # the last batch of each epoch has another shape


@pytest.mark.parametrize(
    ("recorder", "reason"), [(EmptyRecorder(), "other weights"), (FailingRecorder(), "not permitted")]
)
def test_a_step_that_cannot_be_recorded_runs_eagerly_with_a_warning(recorder, reason, small, use):
    plain = train(small)
    use(recorder)
    with pytest.warns(UserWarning, match=reason):
        eager = train(small)
    assert eager.history["loss"] == pytest.approx(plain.history["loss"], rel=1e-6)


def test_callbacks_are_called_after_every_step(small, use):
    steps = []

    class Count:
        def on_step(self, training: Training):
            steps.append(training.step)

        def on_epoch(self, training: Training):
            pass

    use(FakeRecorder())
    train(small, callbacks=[Count()])
    assert steps == [1, 2, 3, 4, 5] * 3


def test_only_a_plain_training_on_one_gpu_is_recorded():
    cuda = torch.device("cuda")
    for recipe in (Recipe(accumulate=2), Recipe(precision="fp16"), Recipe(compile=True), Recipe(kernels="torch")):
        assert make_recorder(recipe, cuda, 1) is None
    assert make_recorder(Recipe(optimizer="rmsprop"), cuda, 1) is None
    assert make_recorder(Recipe(), cuda, 2) is None
    assert make_recorder(Recipe(), torch.device("cpu"), 1) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["gcn-7x7", "cnn-7x7"])
def test_on_a_gpu_replays_are_exact_when_repeated(name, small):
    runs = [zoo.create(name, seed=0).fit(small, epochs=4, device="cuda", progress=False) for _ in range(2)]
    plain = zoo.create(name, seed=0).fit(small, epochs=4, device="cuda", kernels="torch", progress=False)
    assert runs[0].history["loss"] == runs[1].history["loss"]
    assert runs[0].history["loss"] == pytest.approx(plain.history["loss"], rel=1e-3)
