"""One step of training: the losses of a batch, looked at and stepped on, player by player."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from zoo.data import Batch, ExternalLoader, Loader
from zoo.tasks import Loss, Task
from zoo.training.checkpoint.train_state import TrainState
from zoo.training.cuda_graph import CudaGraphStep, Recorder
from zoo.training.nan_guard import NonFiniteGuard
from zoo.training.precision import autocast


class TrainStep:
    """Takes steps on batches.

    Args:
        state: What the steps change.
        task: What is learnt.
        train: Where the batches come from.
        guard: Looks at each loss.
        recorder: Records a step and replays it, or None.
    """

    def __init__(
        self,
        state: TrainState,
        task: Task,
        train: Loader | ExternalLoader,
        guard: NonFiniteGuard,
        recorder: Recorder | None,
    ) -> None:
        self._state, self._task, self._train, self._guard = state, task, train, guard
        self._nets, steppers = state.training.nets, state.optimizers
        self._captured = None if recorder is None else CudaGraphStep(self._iter_losses, steppers, self._nets, recorder)

    def __call__(self, batch: Batch) -> Iterable[Loss]:
        """Take a step on a batch; give the losses that were stepped on.

        Raises:
            TrainingError: One is not finite.
        """
        if self._captured is None:
            return self._step_players(batch)
        losses = self._captured(batch)
        return [loss for loss in losses if self._guard.allow_step(self._state.training, loss.player, loss.value)]

    def _step_players(self, batch: Batch) -> Iterator[Loss]:
        """Step each player on its loss; the rest of a batch is left out after one that the guard does not pass."""
        share, stepped = self._loss_weight(batch), set[str]()
        losses = self._iter_losses(batch)
        for loss in losses:
            if not self._guard.allow_step(self._state.training, loss.player, loss.value):
                losses.close()
                for name in self._state.optimizers.keys() - stepped:
                    self._state.optimizers[name].schedule.advance()
                return
            self._state.optimizers[loss.player].step(loss.value * share if share != 1 else loss.value, loss.gradient)
            stepped.add(loss.player)
            yield loss

    def _loss_weight(self, batch: Batch) -> float:
        """Return what makes the mean of the processes' losses that of their images, where some have fewer."""
        size = self._state.group.world_size
        whole = self._train.global_batch_size(self._state.training.step, size) if size > 1 else 0
        return len(batch.targets) * size / whole if whole else 1.0

    def _iter_losses(self, batch: Batch) -> Generator[Loss, None, None]:
        """Draw the task's losses one by one; only the forward pass runs under autocast."""
        losses, precision = self._task.losses(self._nets, batch), self._state.training.recipe.precision
        if precision == "fp32":
            yield from losses
            return
        while True:
            with autocast(batch.images.device, precision):
                loss = next(losses, None)
            if loss is None:
                return
            yield loss
