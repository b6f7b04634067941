"""A history: rows of epochs, to and from JSON lines."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import UnknownNameError, WeightsError
from zoo.saving.history import History

ROWS = [
    {"epoch": 1, "loss": 1.5, "val_accuracy": 0.5},
    {"epoch": 2, "loss": 0.5, "val_accuracy": 0.75},
    {"epoch": 3, "loss": 0.75},
]

cells = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
rows = st.lists(st.dictionaries(st.text(), cells, max_size=5), max_size=8)


@given(rows)
def test_a_history_survives_json_lines(rows):
    assert list(History.from_jsonl(History(rows).to_jsonl())) == rows


@given(rows)
def test_each_row_is_one_line_whatever_it_holds(rows):
    assert [json.loads(line) for line in History(rows).to_jsonl().split("\n")[:-1]] == rows


@given(rows)
def test_every_history_has_a_repr(rows):
    assert repr(History(rows))


def test_an_integer_reads_a_row_a_slice_rows_and_a_name_a_column():
    history = History(ROWS)
    assert history[-1] == ROWS[2]
    assert history[:2] == ROWS[:2]
    assert history["loss"] == [1.5, 0.5, 0.75]
    assert history["val_accuracy"] == [0.5, 0.75, None]


def test_columns_are_in_the_order_they_first_appear():
    assert History([{"b": 1}, {"a": 2, "b": 3}]).columns == ("b", "a")


def test_an_unknown_column_suggests_a_similar_one():
    with pytest.raises(UnknownNameError) as caught:
        History(ROWS)["los"]
    assert str(caught.value) == "no column 'los'; did you mean loss?; there is epoch, loss, val_accuracy"


@pytest.mark.parametrize(("column", "epoch"), [("loss", 2), ("val_accuracy", 2), ("epoch", 3)])
def test_the_best_row_has_the_smallest_loss_or_the_largest_score(column, epoch):
    assert History(ROWS).best(column)["epoch"] == epoch


def test_the_best_row_is_the_first_of_equal_ones():
    assert History([{"epoch": n, "loss": 1.0} for n in (1, 2, 3)]).best("loss")["epoch"] == 1


def test_a_row_without_a_number_is_never_the_best():
    history = History([{"loss": math.nan}, {"loss": None}, {}, {"loss": 2.0}])
    assert history.best("loss") == {"loss": 2.0}


@pytest.mark.parametrize("rows", [[], [{"epoch": 1}], [{"loss": math.nan}]])
def test_there_is_no_best_row_of_a_column_without_numbers(rows):
    with pytest.raises(UnknownNameError, match="no column 'loss'"):
        History(rows).best("loss")


def test_a_history_copies_its_rows():
    row = {"loss": 1.0}
    history = History([row])
    row["loss"] = 9.0
    assert history["loss"] == [1.0]


def test_the_repr_is_a_table():
    assert repr(History([{"epoch": 1, "loss": 0.123456, "stray": None}])).splitlines() == [
        "     epoch        loss       stray",
        "         1      0.1235            ",
    ]
    assert repr(History()) == "History(empty)"


def test_a_number_that_is_not_finite_is_not_written():
    with pytest.raises(ValueError, match="JSON compliant"):
        History([{"loss": math.inf}]).to_jsonl()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"epoch": 1}\n{"epoch', "run.jsonl: line 2 is not JSON"),
        ("[1]\n", "run.jsonl: line 1 is not a JSON object"),
        ("\n", "run.jsonl: line 1 is not JSON"),
        ("[" * 100_000, "run.jsonl: line 1 is not JSON"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(text, message):
    with pytest.raises(WeightsError, match=f"^{message}$"):
        History.from_jsonl(text, name="run.jsonl")


def test_a_damaged_history_raises_no_other_error():
    @given(st.text())
    def read(text):
        try:
            History.from_jsonl(text)
        except WeightsError:
            return

    read()
