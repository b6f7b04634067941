"""What a run cannot be begun or gone on with is refused before anything is trained, and nothing is left."""

import pytest

import zoo
from zoo.errors import ConfigError, WeightsError

ODD = [
    ({"checkpoint": ""}, "checkpoint is a folder, not ''"),
    ({"checkpoint": 5}, "checkpoint is a folder, not 5"),
    ({"keep_checkpoints": 0}, "keep_checkpoints is the number of checkpoints to keep, at least 1, not 0"),
    ({"keep_checkpoints": "2"}, "keep_checkpoints is the number of checkpoints to keep, at least 1, not '2'"),
    ({"checkpoint_every": "often"}, "checkpoint_every is such as 'epoch'"),
    ({"checkpoint_every": "2 epochs"}, "checkpoint_every needs checkpoint=, the folder of the run"),
    ({"resume": "maybe"}, "resume is True, False or 'auto', not 'maybe'"),
    ({"resume": True}, "resume needs checkpoint=, the folder of the run"),
]


@pytest.mark.parametrize(("how", "said"), ODD, ids=str)
def test_what_is_not_an_option_is_refused(small, how, said):
    model = zoo.create("gcn-7x7", seed=0)
    with pytest.raises(ConfigError) as caught:
        model.fit(small, epochs=1, progress=False, **how)
    assert said in str(caught.value)
    assert not model.history


def test_nothing_to_go_on_from_is_said_and_nothing_is_made(small, tmp_path):
    with pytest.raises(WeightsError, match="holds no checkpoint to resume from; begin without resume"):
        zoo.create("gcn-7x7", seed=0).fit(small, epochs=1, progress=False, checkpoint=tmp_path / "run", resume=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_place_for_a_run(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="cannot write checkpoints to"):
        zoo.create("gcn-7x7", seed=0).fit(small, epochs=1, progress=False, checkpoint=tmp_path / "file")


def test_a_loader_of_its_own_is_told_apart_by_what_can_be_seen_of_it(small, tmp_path):
    from torch.utils.data import DataLoader, TensorDataset

    def loader(num, **how):
        return DataLoader(TensorDataset(small.images[:num], small.labels[:num]), batch_size=16, **how)

    def fit(source, **how):
        model = zoo.create("gcn-7x7", seed=0)
        return model.fit(source, epochs=1, progress=False, device="cpu", checkpoint=tmp_path / "run", **how)

    fit(loader(64))
    for other, said in ((loader(63), "number was 64 and is 63"), (loader(64, shuffle=True), "order was 'Sequential")):
        with pytest.raises(ConfigError, match=said):
            fit(other, resume=True)
