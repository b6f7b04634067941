"""Find losses and weights that are not finite; stop with advice, or skip the batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.errors import ConfigError, TrainingError, join_names
from zoo.training.callbacks import Training
from zoo.training.distributed import ProcessGroup

ON_NAN = ("stop", "skip")
CHECK_EVERY, CHECK_EVERY_DISTRIBUTED = 32, 8
"""Losses between two checks on a GPU, and in several processes.

A check on a GPU waits for its kernels. Several processes exchange the result.
"""
ADVICE = "try a lower lr, clip=1.0, warmup=1, or precision='fp32'"
UNCHANGED = "The model is as it was before this fit"


def check_on_nan(on_nan: str) -> None:
    """Raise for an unknown value of `on_nan`.

    Raises:
        ConfigError: `on_nan` is not `stop` or `skip`.
    """
    if on_nan not in ON_NAN:
        raise ConfigError(f"on_nan is 'stop' or 'skip', not {on_nan!r}")


class NonFiniteGuard:
    """Check that losses, weights and means are finite.

    With `skip` every loss is checked before its step. With `stop` that holds on the CPU in one process; elsewhere
    several losses are checked at once, some steps later, since each check waits.

    Args:
        on_nan: `stop` raises; `skip` leaves out the batch and counts it.
        group: The processes that train together, with the device of the losses.
        describe_batch: Returns which images the batch of a step holds.
        newest_checkpoint: Returns the path of the newest checkpoint, or an empty string.

    Raises:
        ConfigError: `on_nan` is not `stop` or `skip`.
    """

    def __init__(
        self,
        on_nan: str,
        *,
        group: ProcessGroup,
        describe_batch: Callable[[int], str],
        newest_checkpoint: Callable[[], str],
    ) -> None:
        check_on_nan(on_nan)
        self._skips, self._group = on_nan == "skip", group
        self._describe_batch, self._newest_checkpoint = describe_batch, newest_checkpoint
        interval = 1 if group.device.type == "cpu" else CHECK_EVERY
        self._check_every = CHECK_EVERY_DISTRIBUTED if group.world_size > 1 else interval
        self._unchecked: list[tuple[int, str, Tensor]] = []

    def allow_step(self, training: Training, player: str, loss: Tensor) -> bool:
        """Return whether to step on a loss; count a skipped batch.

        Raises:
            TrainingError: With `stop`, this loss or an earlier unchecked one is not finite.
        """
        if self._skips:
            (is_nonfinite,) = self._group.any_process(not bool(torch.isfinite(loss.detach())))
            training.skipped += is_nonfinite
            return not is_nonfinite
        self._unchecked.append((training.step + 1, player, loss.detach()))
        if len(self._unchecked) >= self._check_every:
            self.check_losses(training)
        return True

    def check_losses(self, training: Training) -> None:
        """Check the losses that are not checked yet; all processes call this after the same step.

        Raises:
            TrainingError: A loss is not finite, in this process or in another.
        """
        losses, self._unchecked = self._unchecked, []
        step, player, value = _first_nonfinite(losses)
        problem = self._format_problem(training, step, f"the loss of {player!r} is {value}") if step else ""
        problem = self._group.first_problem(problem, step)
        if problem:
            raise TrainingError(problem)

    def check_weights(self, training: Training, net: Module) -> None:
        """Check losses and weights before a checkpoint is written.

        Raises:
            TrainingError: A loss or a weight is not finite.
        """
        self.check_losses(training)
        nonfinite = [name for name, weight in net.named_parameters() if not bool(torch.isfinite(weight).all())]
        if nonfinite:
            verb = "is" if len(nonfinite) == 1 else "are"
            problem = f"{join_names(nonfinite, 3)} {verb} not finite after the step"
            raise TrainingError(self._format_problem(training, training.step, problem))

    def end_epoch(self, training: Training) -> dict[str, Any]:
        """Return the column `skipped` of the epoch's row, if batches were skipped.

        Raises:
            TrainingError: A loss is not finite, or every batch of the epoch was skipped.
        """
        self.check_losses(training)
        if training.skipped and training.skipped >= training.step:
            problem = f"each of the {training.step} batches of epoch {training.epoch} gave a loss that is not finite"
            raise TrainingError(f"{problem}, and was skipped; {ADVICE}. {UNCHANGED}")
        return {"skipped": training.skipped} if training.skipped else {}

    def check_row(self, row: Mapping[str, Any], epoch: int) -> None:
        """Check the means of an epoch.

        Raises:
            TrainingError: A mean is not finite.
        """
        for name, value in row.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise TrainingError(f"{name} became {value} in epoch {epoch}; {ADVICE}. {UNCHANGED}")

    def _format_problem(self, training: Training, step: int, problem: str) -> str:
        newest, images = self._newest_checkpoint(), self._describe_batch(step)
        return (
            f"{problem} at step {step} of epoch {training.epoch}"
            + (f", on {images}" if images else "")
            + f"; {ADVICE}, or on_nan='skip' to leave such batches out. {UNCHANGED}"
            + (f"; the last good checkpoint is {newest}" if newest else "")
        )


def _first_nonfinite(losses: Sequence[tuple[int, str, Tensor]]) -> tuple[int, str, float]:
    """Return step, player and value of the first loss that is not finite; step 0 if all are."""
    if len(losses) > 1 and bool(torch.isfinite(torch.stack([loss for *_, loss in losses])).all()):
        return 0, "", 0.0
    values = ((step, player, float(loss)) for step, player, loss in losses)
    return next((each for each in values if not math.isfinite(each[2])), (0, "", 0.0))
