"""A table is checked when it is declared, before anything is run."""

from dataclasses import FrozenInstanceError

import pytest

from zoo.errors import ConfigError
from zoo.plugins.experiment_spec import Experiment, Row


def table(**changes):
    fields = {"name": "tiny", "summary": "", "source": "", "dataset": "digits", "rows": (Row(label="a", model="b"),)}
    return Experiment(**fields | changes)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("train", "package.module", "row 'a': train is an import string such as"),
        ("score", "no:import:string", "row 'a': score is an import string such as"),
        ("needs", "tpu", "needs is 'gpu' or left out, not 'tpu'"),
    ],
)
def test_a_row_that_cannot_be_run_is_refused(field, value, told):
    with pytest.raises(ConfigError, match=told):
        Row(label="a", model="b", **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("rows", (Row(label="a", model="b"), Row(label="a", model="c")), "two rows share a label"),
        ("metrics", (), "metrics names at least one"),
        ("verdict", "nowhere", "tiny: verdict is an import string"),
        ("figures", ("table", "pie"), "a picture begins with one of table, curves, confusion, robustness, not 'pie'"),
        ("figures", ("confusion:b",), "confusion:b is of no row; there is a"),
        ("name", "Tiny", "experiment name"),
    ],
)
def test_a_table_that_cannot_be_reported_is_refused(field, value, told):
    with pytest.raises(ConfigError, match=told):
        table(**{field: value})


def test_rows_and_tables_are_frozen_through_and_through():
    row = Row(label="a", model="b", config={"width": 3}, paper={"accuracy": 0.5})
    with pytest.raises(TypeError):
        row.config["width"] = 4
    with pytest.raises(FrozenInstanceError):
        row.label = "b"
    with pytest.raises(FrozenInstanceError):
        table(figures=("confusion:a", "table:recall")).name = "other"
