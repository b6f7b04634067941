"""A grid an epoch shows the same noise, as the generator draws it then."""

import pytest
from PIL import Image

import zoo
from zoo.errors import ConfigError
from zoo.training.sample_grids import Grids


@pytest.fixture
def digits(bundled):
    return bundled.train.take(64, seed=0).resize(16)


def test_each_epoch_writes_a_grid_of_as_many_columns_as_classes(digits, tmp_path):
    model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4)
    model.fit(digits, epochs=2, ema=0.0, progress=False, callbacks=[Grids(tmp_path / "grids", rows=2)])
    grids = []
    for epoch in (1, 2):
        with Image.open(tmp_path / "grids" / f"epoch-00{epoch}.png") as picture:
            grids.append((picture.size, picture.tobytes()))
    assert grids[0][0] == grids[1][0] == ((10 * 17 + 1) * 4, (2 * 17 + 1) * 4)
    assert grids[0][1] != grids[1][1]


def test_a_grid_changes_no_training(digits, tmp_path):
    ends = []
    for callbacks in ([], [Grids(tmp_path, rows=1)]):
        model = zoo.create("attention-gan-28x28", seed=0, size=16, width=4)
        ends.append(model.fit(digits, epochs=2, progress=False, callbacks=callbacks).history["generator_loss"])
    assert ends[0] == ends[1]


def test_a_classifier_has_no_grids_and_stays_as_it_was(small, tmp_path):
    model = zoo.create("gcn-7x7", seed=0)
    with pytest.raises(ConfigError, match="this model is a classifier"):
        model.fit(small, epochs=1, progress=False, callbacks=[Grids(tmp_path)])
    assert not model.history


def test_a_grid_without_rows_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least one row"):
        Grids(tmp_path, rows=0)
