"""Invalid options of a run are refused before training, and leave nothing on disk."""

import pytest

import zoo
from zoo.errors import ConfigError, WeightsError

INVALID = [
    ({"checkpoint": ""}, "checkpoint is a folder, not ''"),
    ({"checkpoint": 5}, "checkpoint is a folder, not 5"),
    ({"keep_checkpoints": 0}, "keep_checkpoints is the number of checkpoints to keep, at least 1, not 0"),
    ({"keep_checkpoints": "2"}, "keep_checkpoints is the number of checkpoints to keep, at least 1, not '2'"),
    ({"checkpoint_every": "often"}, "checkpoint_every is such as 'epoch'"),
    ({"checkpoint_every": "2 epochs"}, "checkpoint_every needs checkpoint=, the folder of the run"),
    ({"resume": "maybe"}, "resume is True, False or 'auto', not 'maybe'"),
    ({"resume": True}, "resume needs checkpoint=, the folder of the run"),
]


@pytest.mark.parametrize(("options", "message"), INVALID, ids=str)
def test_an_invalid_option_is_refused(small, options, message):
    model = zoo.create("gcn-7x7", seed=0)
    with pytest.raises(ConfigError) as caught:
        model.fit(small, epochs=1, progress=False, **options)
    assert message in str(caught.value)
    assert not model.history


def test_a_run_without_a_checkpoint_cannot_be_resumed_and_creates_nothing(small, tmp_path):
    with pytest.raises(WeightsError, match="holds no checkpoint to resume from; begin without resume"):
        zoo.create("gcn-7x7", seed=0).fit(small, epochs=1, progress=False, checkpoint=tmp_path / "run", resume=True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_needs_a_folder(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="cannot write checkpoints to"):
        zoo.create("gcn-7x7", seed=0).fit(small, epochs=1, progress=False, checkpoint=tmp_path / "file")


def test_another_external_loader_is_another_training(small, tmp_path):
    from torch.utils.data import DataLoader, TensorDataset

    def make_loader(num, **options):
        return DataLoader(TensorDataset(small.images[:num], small.labels[:num]), batch_size=16, **options)

    def fit(source, **options):
        model = zoo.create("gcn-7x7", seed=0)
        return model.fit(source, epochs=1, progress=False, device="cpu", checkpoint=tmp_path / "run", **options)

    fit(make_loader(64))
    others = ((make_loader(63), "number was 64 and is 63"), (make_loader(64, shuffle=True), "order was 'Sequential"))
    for other, message in others:
        with pytest.raises(ConfigError, match=message):
            fit(other, resume=True)
