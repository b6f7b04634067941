"""The interval between checkpoints is parsed from text."""

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
def test_a_text_is_parsed_to_a_number_and_a_unit(text, number, unit):
    assert Interval.parse(text) == Interval(number=number, unit=unit)


@pytest.mark.parametrize("text", ["", "often", "0 steps", "-1 epochs", "1.5 steps", "steps 5", 5, None])
def test_an_invalid_text_is_refused_with_examples(text):
    with pytest.raises(ConfigError, match="'500 steps' or '10 minutes'"):
        Interval.parse(text)


def test_a_checkpoint_is_due_when_the_interval_has_passed():
    interval = Interval.parse("5 steps")
    assert not interval.is_due(epochs=9, steps=4, seconds=1e9)
    assert interval.is_due(epochs=0, steps=5, seconds=0)
