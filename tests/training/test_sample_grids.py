"""Each epoch writes a grid of images from the same noise."""

import pytest
from PIL import Image

import zoo
from zoo.errors import ConfigError
from zoo.training.sample_grids import Grids


@pytest.fixture
def digits(bundled):
    return bundled.train.take(64, seed=0).resize(16)


def test_each_epoch_writes_a_grid_with_one_column_per_class(digits, tmp_path):
    model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4)
    model.fit(digits, epochs=2, ema=0.0, progress=False, callbacks=[Grids(tmp_path / "grids", rows=2)])
    grids = []
    for epoch in (1, 2):
        with Image.open(tmp_path / "grids" / f"epoch-00{epoch}.png") as image:
            grids.append((image.size, image.tobytes()))
    assert grids[0][0] == grids[1][0] == ((10 * 17 + 1) * 4, (2 * 17 + 1) * 4)
    assert grids[0][1] != grids[1][1]


def test_grids_do_not_change_the_training(digits, tmp_path):
    losses = []
    for callbacks in ([], [Grids(tmp_path, rows=1)]):
        model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4)
        losses.append(model.fit(digits, epochs=2, progress=False, callbacks=callbacks).history["generator_loss"])
    assert losses[0] == losses[1]


def test_grids_are_refused_for_a_classifier_which_stays_unchanged(small, tmp_path):
    model = zoo.create("gcn-7x7", seed=0)
    with pytest.raises(ConfigError, match="this model is a classifier"):
        model.fit(small, epochs=1, progress=False, callbacks=[Grids(tmp_path)])
    assert not model.history


def test_a_grid_without_rows_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least one row"):
        Grids(tmp_path, rows=0)
