"""How often a checkpoint is written: after epochs, steps, or time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zoo.errors import ConfigError

SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
PATTERN = re.compile(r"(?:(\d+(?:\.\d+)?) )?(epoch|step|second|minute|hour)s?")


@dataclass(frozen=True, kw_only=True)
class Interval:
    """`number` of `unit`: epochs, steps or seconds."""

    number: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read `epoch`, `2 epochs`, `500 steps`, `10 minutes`, `90 seconds` or `1 hour`.

        Raises:
            ConfigError: It is none of these.
        """
        found = PATTERN.fullmatch(text.strip()) if isinstance(text, str) else None
        number = float(found[1] or 1) if found else 0.0
        is_whole = number == int(number) or (found is not None and found[2] in SECONDS)
        if found is None or number <= 0 or not is_whole:
            raise ConfigError(
                f"checkpoint_every is such as 'epoch', '2 epochs', '500 steps' or '10 minutes', not {text!r}"
            )
        if found[2] in SECONDS:
            return cls(number=number * SECONDS[found[2]], unit="second")
        return cls(number=number, unit=found[2])

    def is_due(self, *, epochs: int, steps: int, seconds: float) -> bool:
        """Return whether so many of its unit have passed since the last checkpoint."""
        passed = {"epoch": epochs, "step": steps, "second": seconds}
        return passed[self.unit] >= self.number

    def __str__(self) -> str:
        return self.unit if self.number == 1 else f"{self.number:g} {self.unit}s"
