"""An experiment is checked when it is declared, before any row is run."""

from dataclasses import FrozenInstanceError

import pytest

from zoo.errors import ConfigError
from zoo.plugins.experiment_spec import Experiment, Row


def make_experiment(**changes):
    fields = {"name": "tiny", "summary": "", "source": "", "dataset": "digits", "rows": (Row(label="a", model="b"),)}
    return Experiment(**fields | changes)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("train", "package.module", "row 'a': train is an import string such as"),
        ("score", "no:import:string", "row 'a': score is an import string such as"),
        ("needs", "tpu", "needs is 'gpu' or left out, not 'tpu'"),
    ],
)
def test_a_row_that_cannot_be_run_is_refused(field, value, message):
    with pytest.raises(ConfigError, match=message):
        Row(label="a", model="b", **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rows", (Row(label="a", model="b"), Row(label="a", model="c")), "two rows share a label"),
        ("metrics", (), "metrics is empty; name at least one"),
        ("verdict", "nowhere", "tiny: verdict is an import string"),
        ("figures", ("table", "pie"), "a figure begins with one of table, curves, confusion, robustness, not 'pie'"),
        ("figures", ("confusion:b",), "confusion:b names no row; the rows are a"),
        ("name", "Tiny", "experiment name"),
    ],
)
def test_an_experiment_that_cannot_be_reported_is_refused(field, value, message):
    with pytest.raises(ConfigError, match=message):
        make_experiment(**{field: value})


def test_rows_and_experiments_are_deeply_frozen():
    row = Row(label="a", model="b", config={"width": 3}, paper={"accuracy": 0.5})
    with pytest.raises(TypeError):
        row.config["width"] = 4
    with pytest.raises(FrozenInstanceError):
        row.label = "b"
    with pytest.raises(FrozenInstanceError):
        make_experiment(figures=("confusion:a", "table:recall")).name = "other"
