"""Losses that are not finite: found at their step, told with what to try, or passed over on request."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.callbacks import Training
from zoo.errors import ConfigError, TrainingError, listed

WAYS = ("stop", "skip")
LOOK = 32
"""Steps between two looks at losses on a GPU: each look waits for it."""
ADVICE = "try a lower lr, clip=1.0, warmup=1, or precision='fp32'"


class Guard:
    """Looks at every loss before it is stepped on; on a GPU some steps later, unless it is to skip.

    Args:
        on_nan: `stop` raises; `skip` leaves out the step and counts it.
        device: Where the losses are.

    Raises:
        ConfigError: `on_nan` is something else.
    """

    def __init__(self, on_nan: str, device: torch.device) -> None:
        if on_nan not in WAYS:
            raise ConfigError(f"on_nan is 'stop' or 'skip', not {on_nan!r}")
        self._skips = on_nan == "skip"
        self._look = 1 if device.type == "cpu" else LOOK
        self._seen: list[tuple[int, str, Tensor]] = []
        self.indices: Callable[[int], str] = lambda step: ""
        """What says which images the batch of a step holds."""
        self.checkpoint: Callable[[], str] = lambda: ""
        """What names the newest checkpoint."""
        self.agreed: Callable[[bool], bool] = lambda claim: claim
        """What tells whether any process makes a claim."""
        self.skipped = 0

    def passes(self, training: Training, player: str, loss: Tensor) -> bool:
        """Return whether to step on a loss.

        Raises:
            TrainingError: It is not finite, or one of the last was not.
        """
        if self._skips:
            is_odd = self.agreed(not bool(torch.isfinite(loss.detach())))
            self.skipped += is_odd
            return not is_odd
        self._seen.append((training.step + 1, player, loss.detach()))
        if len(self._seen) >= self._look:
            self.look(training)
        return True

    def look(self, training: Training) -> None:
        """Look at the losses that were not looked at yet.

        Raises:
            TrainingError: One is not finite.
        """
        seen, self._seen = self._seen, []
        if len(seen) > 1 and bool(torch.isfinite(torch.stack([loss for *_, loss in seen])).all()):
            return
        for step, player, loss in seen:
            if math.isfinite(value := float(loss)):
                continue
            raise TrainingError(self._told(training, step, f"the loss of {player!r} is {value}"))

    def check(self, training: Training, net: Module) -> None:
        """Raise if a loss or a weight is not finite, so that no such checkpoint is written.

        Raises:
            TrainingError: One is not.
        """
        self.look(training)
        odd = [name for name, weight in net.named_parameters() if not bool(torch.isfinite(weight).all())]
        if odd:
            told = f"{listed(odd, 3)} {'is' if len(odd) == 1 else 'are'} not finite after the step"
            raise TrainingError(self._told(training, training.step, told))

    def close(self, training: Training) -> dict[str, Any]:
        """Return what the row of an epoch says of it.

        Raises:
            TrainingError: A loss was not finite, or every step of the epoch was skipped.
        """
        self.look(training)
        skipped, self.skipped = self.skipped, 0
        if skipped and skipped >= training.step:
            told = f"all {training.step} losses of epoch {training.epoch} were not finite, and skipped"
            raise TrainingError(f"{told}; {ADVICE}. The model is as it was before this fit")
        return {"skipped": skipped} if skipped else {}

    def _told(self, training: Training, step: int, what: str) -> str:
        newest, images = self.checkpoint(), self.indices(step)
        return (
            f"{what} at step {step} of epoch {training.epoch}"
            + (f", on {images}" if images else "")
            + f"; {ADVICE}, or on_nan='skip' to leave such batches out. The model is as it was before this fit"
            + (f"; the last good checkpoint is {newest}" if newest else "")
        )
