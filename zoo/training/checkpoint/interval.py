"""Decide when a checkpoint is due: after a number of epochs, steps or seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zoo.errors import ConfigError

SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
PATTERN = re.compile(r"(?:(\d+(?:\.\d+)?) )?(epoch|step|second|minute|hour)s?")


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The interval between two checkpoints.

    Args:
        number: How many units, above 0.
        unit: `epoch`, `step` or `second`.
    """

    number: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Parse `epoch`, `2 epochs`, `500 steps`, `10 minutes`, `90 seconds` or `1 hour`.

        Raises:
            ConfigError: The text is not an interval.
        """
        match = PATTERN.fullmatch(text.strip()) if isinstance(text, str) else None
        number = float(match[1] or 1) if match else 0.0
        is_whole = number == int(number) or (match is not None and match[2] in SECONDS)
        if match is None or number <= 0 or not is_whole:
            raise ConfigError(
                f"checkpoint_every is such as 'epoch', '2 epochs', '500 steps' or '10 minutes', not {text!r}"
            )
        if match[2] in SECONDS:
            return cls(number=number * SECONDS[match[2]], unit="second")
        return cls(number=number, unit=match[2])

    def is_due(self, *, epochs: int, steps: int, seconds: float) -> bool:
        """Return whether the interval has passed since the last checkpoint.

        Args:
            epochs: Epochs since then.
            steps: Batches since then.
            seconds: Seconds since then.
        """
        passed = {"epoch": epochs, "step": steps, "second": seconds}
        return passed[self.unit] >= self.number

    def __str__(self) -> str:
        return self.unit if self.number == 1 else f"{self.number:g} {self.unit}s"
