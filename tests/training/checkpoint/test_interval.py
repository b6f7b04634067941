"""How often a checkpoint is written is read from words."""

import pytest

from zoo.errors import ConfigError
from zoo.training.checkpoint.interval import Interval


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("epoch", 1, "epoch"),
        ("2 epochs", 2, "epoch"),
        ("500 steps", 500, "step"),
        ("10 minutes", 600, "second"),
        ("90 seconds", 90, "second"),
        ("0.5 hours", 1800, "second"),
    ],
)
def test_words_are_a_number_of_a_unit(text, number, unit):
    assert Interval.parse(text) == Interval(number=number, unit=unit)


@pytest.mark.parametrize("text", ["", "often", "0 steps", "-1 epochs", "1.5 steps", "steps 5", 5, None])
def test_other_words_are_refused_with_examples(text):
    with pytest.raises(ConfigError, match="'500 steps' or '10 minutes'"):
        Interval.parse(text)


def test_it_is_due_when_so_many_have_passed():
    every = Interval.parse("5 steps")
    assert not every.is_due(epochs=9, steps=4, seconds=1e9)
    assert every.is_due(epochs=0, steps=5, seconds=0)
